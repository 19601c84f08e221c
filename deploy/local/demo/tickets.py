"""Conversations: customers' mails come in, colleagues take them, answer, set aside and close."""

import heapq
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from core.foundation import clock
from core.foundation.actor import Door
from core.foundation.jobs import Job
from core.foundation.unit_of_work import Work, unit_of_work
from core.mail.filing import file_inbound
from core.mail.intake import accept_mail, delivery_for
from core.mail.models import InboundMail, MailMessage, OutboundMail
from core.mail.tokens import reply_address
from core.mail.writing import SEND_JOB, MailDraft, reply_to_ticket
from core.tenants.service import tenant_profile
from core.tickets.models import Ticket
from core.tickets.service import TicketPatch, change_ticket, take_ticket
from core.timeline.models import Activity
from deploy.local.demo.companies import CLOSED_CATEGORY, Scene
from deploy.local.demo.letters import Answered, Letter, render
from deploy.local.demo.people import Person, make_person
from deploy.local.demo.words import LANGUAGES

WEEKS: Final = 6
STRANGERS: Final = 0.07
HTML_SHARE: Final = 0.3
HELD: Final = timedelta(days=2)
"""Answers younger than this still lie in the outbox, as they do where no outgoing server is set."""
ZONE: Final = ZoneInfo("Europe/Prague")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A conversation to play; the customer's and our texts take turns."""

    subject: str
    topic: str
    texts: Sequence[str]
    person: Person
    agent: str
    files: str
    is_html: bool
    times: Sequence[datetime]


@dataclass(slots=True)
class Running:
    """A conversation that has begun."""

    script: Script
    ticket_id: int = 0
    answered: Answered | None = None


def play_conversations(scene: Scene, people: Sequence[Person], taken: set[str]) -> None:
    """Play all conversations in the order of their mails, so that ticket numbers grow with time."""
    strangers = [make_person(None, scene.chance, taken) for _ in range(round(scene.plan.tickets * STRANGERS))]
    customers = scene.chance.sample(list(people), scene.plan.tickets - len(strangers)) + strangers
    scene.chance.shuffle(customers)
    running = [Running(script) for script in _scripts(scene, customers)]
    for moment, place, part in _in_order(running):
        clock.hold(moment)
        if part == len(running[place].script.times):
            _set_aside(scene, running[place])
        elif part % 2 == 0:
            _receive(scene, running[place], part)
        else:
            _answer(scene, running[place], part)


def _in_order(running: Sequence[Running]) -> Iterator[tuple[datetime, int, int]]:
    """Moment, conversation and part of everything that happens; the last part is what a colleague does at the end."""
    happenings = [
        (moment, place, part)
        for place, one in enumerate(running)
        for part, moment in enumerate((*one.script.times, one.script.times[-1] + timedelta(minutes=20)))
    ]
    heapq.heapify(happenings)
    while happenings:
        yield heapq.heappop(happenings)


def _scripts(scene: Scene, customers: Sequence[Person]) -> Iterator[Script]:
    for place, person in enumerate(customers):
        thread = _thread_for(person, place)
        chance, language = scene.chance, LANGUAGES[person.language]
        agent = thread.get("agent", "anna" if thread["topic"] == CLOSED_CATEGORY else chance.choice(("anna", "boris")))
        agent = scene.tenant.owner if agent == "anna" else agent
        values = {
            "order": str(chance.randrange(260_100, 268_900)),
            "product": chance.choice(language.products),
            "agent": agent.capitalize(),
        }
        subject = thread["subject"].format(**values)
        yield Script(
            subject=subject[0].upper() + subject[1:],
            topic=thread["topic"],
            texts=[text.format(**values) for text in thread["messages"]],
            person=person,
            agent=agent,
            files=thread.get("files", ""),
            is_html=chance.random() < HTML_SHARE,
            times=_times(scene, place / len(customers), len(thread["messages"])),
        )


def _thread_for(person: Person, place: int) -> dict[str, Any]:
    """The next of the language's conversations whose words fit the person."""
    sex = "she" if person.is_woman else "he"
    threads = [thread for thread in _threads(person.language) if thread.get("customer", sex) == sex]
    return threads[place % len(threads)]


@cache
def _threads(language: str) -> list[dict[str, Any]]:
    text = files("deploy.local.demo").joinpath(f"{language}.toml").read_text("utf-8")
    threads: list[dict[str, Any]] = tomllib.loads(text)["thread"]
    return threads


def _times(scene: Scene, share: float, count: int) -> list[datetime]:
    """When each mail was written: in working hours, later conversations nearer to now, none in the future."""
    age = timedelta(days=7 * WEEKS) * (1 - share) ** 1.5
    moment = _in_working_hours(scene.now - age - timedelta(hours=1), scene.chance.random())
    found: list[datetime] = []
    while len(found) < count and (moment < scene.now - timedelta(minutes=25) or not found):
        found.append(min(moment, scene.now - timedelta(minutes=scene.chance.randrange(25, 600))))
        wait = timedelta(hours=scene.chance.choice((1, 2, 3, 5, 20, 26, 45)))
        moment = _in_working_hours(found[-1] + wait, scene.chance.random())
    return found


def _in_working_hours(moment: datetime, chance: float) -> datetime:
    """The moment if somebody is at work, else the next working day between eight and ten."""
    local = moment.astimezone(ZONE)
    while local.weekday() >= 5 or not 7 <= local.hour < 18:
        local = local.replace(hour=8, minute=int(chance * 59)) + timedelta(days=local.hour >= 7)
        if local.weekday() < 5:
            break
    return local + timedelta(minutes=int(chance * 50), seconds=int(chance * 3571) % 60)


def _receive(scene: Scene, one: Running, part: int) -> None:
    """Let the customer's mail come in through the same door as any other."""
    script, chance = one.script, scene.chance
    host = script.person.email.partition("@")[2]
    mailbox = "invoices" if script.topic == "Invoices" else "support"
    answered = one.answered
    to = answered.reply_to if answered else f"{mailbox}@{scene.tenant.host}"
    raw = render(
        Letter(
            person=script.person,
            to=to,
            subject=f"Re: {answered.subject}" if answered else script.subject,
            text=script.texts[part],
            message_id=f"{chance.getrandbits(64):016x}@{host}",
            at=clock.now().astimezone(ZONE),
            is_html=script.is_html,
            files=script.files if part == 0 else "",
            answered=answered,
        )
    )
    delivery = delivery_for(to)
    if delivery is None:
        raise RuntimeError(f"no tenant takes mail for {to}")
    accept_mail(raw, sender=script.person.email, deliveries=[delivery])
    actor = scene.tenant.product(Door.MAIL)
    with unit_of_work(actor) as work:
        mail_id = work.session.scalars(select(InboundMail.id).order_by(InboundMail.id.desc()).limit(1)).one()
    file_inbound(actor, mail_id)
    with unit_of_work(actor) as work:
        filed = work.session.get_one(InboundMail, mail_id)
        one.ticket_id = work.session.get_one(Activity, filed.activity_id).ticket_id or 0


def _answer(scene: Scene, one: Running, part: int) -> None:
    """Let a colleague take the ticket, sort it and answer."""
    script = one.script
    with unit_of_work(scene.tenant.actor(script.agent)) as work:
        ticket = work.session.get_one(Ticket, one.ticket_id)
        if ticket.owner_id is None:
            take_ticket(work, ticket.id)
            change = TicketPatch(category_id=scene.tenant.categories[script.topic])
            change_ticket(work, ticket.id, change, version=ticket.version)
        draft = MailDraft(to=script.person.email, subject=f"Re: {script.subject}", text=script.texts[part])
        activity_id = reply_to_ticket(work, ticket.id, draft)
        change_ticket(work, ticket.id, TicketPatch(status="waiting"), version=ticket.version)
        _settle(scene, work, activity_id)
        one.answered = _as_answered(scene, work, activity_id, one.ticket_id, script.texts[part])


def _settle(scene: Scene, work: Work, activity_id: int) -> None:
    """Let the answer have left, or be held; its job is taken back, so nothing is ever sent to anybody."""
    mail = work.session.scalars(select(OutboundMail).where(OutboundMail.activity_id == activity_id)).one()
    mail.state = "held" if clock.now() > scene.now - HELD else "sent"
    mail.finished_at = clock.now() + timedelta(seconds=2)
    work.session.execute(delete(Job).where(Job.name == SEND_JOB))


def _as_answered(scene: Scene, work: Work, activity_id: int, ticket_id: int, text: str) -> Answered:
    sent = work.session.scalars(select(MailMessage).where(MailMessage.activity_id == activity_id)).one()
    realm = tenant_profile(work).realm
    return Answered(
        message_id=sent.message_id,
        subject=sent.subject.removeprefix("Re: "),
        reply_to=reply_address(sent.sender[1], realm=realm, ticket_id=ticket_id),
        text=text,
        who=scene.tenant.name,
        at=clock.now().astimezone(ZONE),
    )


def _set_aside(scene: Scene, one: Running) -> None:
    """Close what is done; leave open what still waits for us; a few new ones are taken, the rest nobody's."""
    script = one.script
    was_answered = len(script.times) > 1
    is_done = len(script.times) == len(script.texts) and was_answered
    is_old = clock.now() < scene.now - timedelta(days=5)
    with unit_of_work(scene.tenant.actor(script.agent)) as work:
        ticket = work.session.get_one(Ticket, one.ticket_id)
        if not was_answered and (is_old or scene.chance.random() < 0.3):
            take_ticket(work, ticket.id)
            patch = TicketPatch(category_id=scene.tenant.categories[script.topic])
            change_ticket(work, ticket.id, patch, version=ticket.version)
        if is_done and is_old:
            change_ticket(work, ticket.id, TicketPatch(status="closed"), version=ticket.version)
