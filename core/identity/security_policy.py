"""What the company asks of everybody's sign-in: whether a second factor is optional, required, or a passkey at that."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from core.foundation.actor import UserId
from core.foundation.errors import Invalid
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import Passkey, SecondFactor, SecurityPolicy, UserAccount
from core.tenants.company import KIND


class Asked(StrEnum):
    """Of whom a second factor is asked."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Unready:
    """Somebody who signs in with less than the company would ask for."""

    id: UserId
    name: str


def asked_of_all(work: Work) -> Asked:
    """What the company asks for."""
    return Asked(work.session.scalar(select(SecurityPolicy.second_factor)) or Asked.OPTIONAL)


def is_asked_of_all(work: Work) -> bool:
    """Whether nobody may be without a second factor."""
    return asked_of_all(work) is not Asked.OPTIONAL


def ask_of_all(work: Work, wanted: str) -> None:
    """Store what the company asks for: it holds from everybody's next page on. Raises ``Forbidden``, ``Invalid``."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    if wanted not in set(Asked):
        raise Invalid({"second_factor": _("Choose one of these.")})
    before = asked_of_all(work)
    stored = insert(SecurityPolicy).values(second_factor=wanted)
    work.session.execute(
        stored.on_conflict_do_update(index_elements=["tenant_id"], set_={"second_factor": wanted}),
    )
    record_change(
        work, KIND, work.actor.tenant_id, before={"second_factor": before.value}, after={"second_factor": wanted}
    )
    tell(work, "refresh")


def unready_people(work: Work, wanted: Asked = Asked.REQUIRED) -> list[Unready]:
    """Everybody who can sign in and lacks what is ``wanted``, in alphabetical order. Raises ``Forbidden``."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    query = (
        select(UserAccount.id, UserAccount.name)
        .where(~UserAccount.is_blocked, UserAccount.password_hash.is_not(None), ~_has(wanted))
        .order_by(UserAccount.sort_key, UserAccount.id)
    )
    return [Unready(UserId(user_id), name) for user_id, name in work.session.execute(query)]


def has_factor() -> ColumnElement[bool]:
    """For a query of ``UserAccount``: that the user is asked for more than the password."""
    has_app = exists().where(SecondFactor.user_id == UserAccount.id, SecondFactor.secret_sealed.is_not(None))
    return or_(has_app, has_passkey())


def has_passkey() -> ColumnElement[bool]:
    """For a query of ``UserAccount``: that the user has a passkey."""
    return exists().where(Passkey.user_id == UserAccount.id)


def lacks_what_is_asked() -> ColumnElement[bool]:
    """For a query of ``UserAccount``: that the company asks for a second factor which the user has not set up."""
    asked = [(Asked.REQUIRED, has_factor()), (Asked.PASSKEY, has_passkey())]
    return or_(*(and_(exists().where(SecurityPolicy.second_factor == code.value), ~has) for code, has in asked))


def _has(wanted: Asked) -> ColumnElement[bool]:
    return has_passkey() if wanted is Asked.PASSKEY else has_factor()
