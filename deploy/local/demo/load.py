"""Loading both companies."""

from datetime import datetime
from random import Random

from sqlalchemy import delete

from core.foundation import clock
from core.foundation.actor import Door
from core.foundation.jobs import Job
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import unit_of_work
from deploy.local.demo.books import create_books
from deploy.local.demo.calls import play_calls
from deploy.local.demo.companies import DEMO, OTHER, Plan, Scene, Tenant, create
from deploy.local.demo.past import backdating
from deploy.local.demo.people import create_firms, create_people
from deploy.local.demo.telephony import set_up_telephony
from deploy.local.demo.tickets import play_conversations

SEED = 20261125


def load_demo() -> None:
    """Create both companies with customers and conversations up to now."""
    now = clock.now()
    with backdating():
        for plan in (DEMO, OTHER):
            _load(plan, now)


def _load(plan: Plan, now: datetime) -> None:
    scene = Scene(tenant=create(plan), plan=plan, chance=Random(f"{SEED} {plan.key}"), now=now)  # noqa: S311  # invented data
    set_up_telephony(scene.tenant, plan.key)
    taken: set[str] = set()
    people = create_people(scene, create_firms(scene), taken)
    create_books(scene)
    play_conversations(scene, people, taken)
    play_calls(scene, people)
    _drop_work(scene.tenant)


def _drop_work(tenant: Tenant) -> None:
    """Remove the jobs and events that loading left: what they ask for is done."""
    with unit_of_work(tenant.product(Door.SETUP)) as work:
        work.session.execute(delete(Job))
        work.session.execute(delete(StoredEvent))
