"""The first steps of a company: what is done follows from what there is, so that nothing must be ticked off."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, exists, select

from core.calls.models import Device
from core.directory.books.models import SyncedClient
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGroup, SecondFactor, UserAccount, UserGroup
from core.identity.own_account import own_account
from core.mail.models import InboundMail
from core.tenants.company import KIND as COMPANY_SETTINGS
from core.tenants.models import OpeningHours


class Step(StrEnum):
    """Something that a new company does once; in the order in which it helps."""

    COMPANY = "company"
    HOURS = "hours"
    PERMISSION_GROUPS = "permission_groups"
    USER_GROUPS = "user_groups"
    PEOPLE = "people"
    MAIL = "mail"
    PHONE = "phone"
    ADDRESS_BOOK = "address_book"
    SECOND_FACTOR = "second_factor"


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step that the actor may take, and whether it is done."""

    step: Step
    is_done: bool


PERMISSIONS: Final = {
    Step.COMPANY: Permission.SETTINGS_MANAGE,
    Step.HOURS: Permission.SETTINGS_MANAGE,
    Step.PERMISSION_GROUPS: Permission.PEOPLE_MANAGE,
    Step.USER_GROUPS: Permission.PEOPLE_MANAGE,
    Step.PEOPLE: Permission.PEOPLE_MANAGE,
    Step.MAIL: Permission.TICKETS_READ,
    Step.PHONE: Permission.LINES_MANAGE,
    Step.ADDRESS_BOOK: Permission.CONTACTS_READ,
    Step.SECOND_FACTOR: Permission.SETTINGS_MANAGE,
}


def first_steps(work: Work) -> list[FirstStep]:
    """The steps for whoever sets the company up; none for others, when all are done, or when they were put away."""
    if not work.actor.may(Permission.SETTINGS_MANAGE) or work.actor.user_id is None:
        return []
    done = {step: condition.label(step.value) for step, condition in _conditions(work).items()}
    hides = select(UserAccount.hides_first_steps).where(UserAccount.id == work.actor.user_id).scalar_subquery()
    row = work.session.execute(select(*done.values(), hides.label("hides"))).mappings().one()
    steps = [FirstStep(step, bool(row[step.value])) for step in Step if work.actor.may(PERMISSIONS[step])]
    return [] if row["hides"] or all(step.is_done for step in steps) else steps


def show_first_steps(work: Work, *, shown: bool) -> None:
    """Put them away for the actor, or take them out again; raises ``Forbidden`` for whom they are not meant."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    own_account(work).hides_first_steps = not shown


def _conditions(work: Work) -> dict[Step, ColumnElement[bool]]:
    """What shows that a step was taken."""
    others = UserAccount.id != work.actor.user_id, UserAccount.deleted_at.is_(None)
    own_factor = SecondFactor.user_id == work.actor.user_id
    return {
        Step.COMPANY: exists().where(Change.subject_kind == COMPANY_SETTINGS),
        Step.HOURS: exists(select(OpeningHours.id)),
        Step.PERMISSION_GROUPS: exists().where(~PermissionGroup.is_owner),
        Step.USER_GROUPS: exists().where(~UserGroup.is_position),
        Step.PEOPLE: exists().where(*others),
        Step.MAIL: exists(select(InboundMail.id)),
        Step.PHONE: exists(select(Device.id)),
        Step.ADDRESS_BOOK: exists().where(SyncedClient.last_seen_at.is_not(None)),
        Step.SECOND_FACTOR: exists().where(own_factor, SecondFactor.app_since.is_not(None)),
    }
