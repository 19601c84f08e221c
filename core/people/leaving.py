"""Blocking people and deleting them (TC-30 to TC-32), with what follows in numbers.

A blocked user is refused by the panel, the mobile app and CardDAV at once; their phones go on ringing unless they are
switched off too. A deleted user's profile is gone for good: sign-in, groups, line, devices and synced phones. Only the
name stays, on what they wrote and did.
"""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, text

from core.calls.models import Device, PhoneLine, TrunkNumber
from core.directory.books.clients import revoke_clients_of
from core.directory.books.models import SyncedClient
from core.foundation import clock
from core.foundation.errors import Invalid
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell, tell_several
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind, withdraw_link
from core.identity.models import SignInSession, UserAccount
from core.identity.naming import no_address
from core.identity.service import account_values
from core.identity.sessions import end_sessions
from core.people.guards import keep_an_owner, locked_person, refuse_oneself
from core.people.telephony import switch_off_devices


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What hangs on a user, in numbers. ``line_number`` is empty without a line; ``numbers`` ring that line."""

    sessions: int
    line_number: str
    devices: int
    devices_on: int
    numbers: int
    clients: int
    tickets: int
    open_tickets: int
    contacts: int
    companies: int


def holdings_of(work: Work, user_id: int) -> Holdings:
    """What would go or be handed on with the user, in the whole company, whatever the actor sees of it."""
    work.actor.require(Permission.PEOPLE_READ)
    is_mine = PhoneLine.user_id == user_id
    devices = select(func.count()).select_from(Device).join(PhoneLine, PhoneLine.id == Device.line_id).where(is_mine)
    numbers = (
        select(func.count())
        .select_from(TrunkNumber)
        .join(PhoneLine, PhoneLine.id == TrunkNumber.line_id)
        .where(is_mine)
    )
    sessions = select(func.count()).where(SignInSession.user_id == user_id, SignInSession.expires_at > clock.now())
    clients = select(func.count()).where(SyncedClient.user_id == user_id, SyncedClient.state == "active")
    row = work.session.execute(
        select(
            sessions.scalar_subquery().label("sessions"),
            select(PhoneLine.number).where(is_mine).scalar_subquery().label("line_number"),
            devices.scalar_subquery().label("devices"),
            devices.where(Device.is_enabled).scalar_subquery().label("devices_on"),
            numbers.scalar_subquery().label("numbers"),
            clients.scalar_subquery().label("clients"),
        )
    ).one()
    held = work.session.execute(text("select * from person_holds(:person)"), {"person": user_id}).one()
    return Holdings(**{**row._mapping, "line_number": row.line_number or ""}, **held._mapping)  # noqa: SLF001  # SQLAlchemy's documented name


def block_person(work: Work, user_id: int, *, phones_too: bool = False) -> None:
    """Refuse the user everywhere from now on and end every open session; ``phones_too`` switches their devices off.

    Raises ``NotFound``, ``Forbidden``, and ``Conflict`` for oneself and for the last owner.
    """
    work.actor.require(Permission.PEOPLE_BLOCK)
    user = locked_person(work, user_id)
    refuse_oneself(work, user_id)
    keep_an_owner(work, user_id)
    before, user.is_blocked = user.is_blocked, True
    if phones_too:
        switch_off_devices(work, user_id)
    for kind in LinkKind:
        withdraw_link(work, kind, user_id)
    work.session.flush()
    record_change(work, "user", user_id, before={"is_blocked": before}, after={"is_blocked": True})
    end_sessions(work, user_id)
    tell(work, "user", [user_id])


def unblock_person(work: Work, user_id: int) -> None:
    """Let the user in again. Devices that were switched off stay off. Raises ``NotFound``, ``Forbidden``."""
    work.actor.require(Permission.PEOPLE_BLOCK)
    user = locked_person(work, user_id)
    before, user.is_blocked = user.is_blocked, False
    record_change(work, "user", user_id, before={"is_blocked": before}, after={"is_blocked": False})
    tell(work, "user", [user_id])


def delete_person(work: Work, user_id: int, *, successor_id: int | None = None) -> None:
    """Delete the user for good. Tickets, contacts and companies pass to the successor, or have no owner.

    Raises ``NotFound``, ``Forbidden``, ``Conflict`` for oneself and for the last owner, ``Invalid`` for a successor who
    is not there. Emits ``ClientRevoked`` for each synced phone.
    """
    work.actor.require(Permission.PEOPLE_DELETE)
    user = locked_person(work, user_id)
    refuse_oneself(work, user_id)
    keep_an_owner(work, user_id)
    if successor_id is not None:
        _check_successor(work, successor_id, user_id)
    before = account_values(work, user)
    work.session.execute(
        text("select person_hands_on(:person, :successor, :door)"),
        {"person": user_id, "successor": successor_id, "door": work.actor.door.value},
    )
    revoke_clients_of(work, user_id)
    _note_line(work, user_id)
    end_sessions(work, user_id)
    _empty(user)
    work.session.flush()
    _delete_belongings(work, user_id)
    record_change(work, "user", user_id, before=before, after={})
    tell_several(work, {"user": [user_id], "line": [], "ticket": [], "contact": [], "company": []})


def _empty(user: UserAccount) -> None:
    """Keep the name and nothing else."""
    user.deleted_at, user.is_blocked = clock.now(), True
    user.email, user.password_hash = no_address(), None  # so that the address is free again
    user.business_number = user.sms_sender = ""
    user.permission_group_id = None  # type: ignore[assignment]  # empty of somebody deleted alone


def _note_line(work: Work, user_id: int) -> None:
    line = work.session.scalar(select(PhoneLine).where(PhoneLine.user_id == user_id))
    if line is not None:
        record_change(work, "phone_line", line.id, before={"number": line.number, "user_id": user_id}, after={})


def _delete_belongings(work: Work, user_id: int) -> None:
    """Delete what would go with the account's row: groups, line and devices, ways to sign in. Synced phones stay until
    they were told to forget everything."""
    for table in UserAccount.metadata.tables.values():
        for link in table.foreign_key_constraints:
            if link.referred_table is UserAccount.__table__ and link.ondelete == "CASCADE":
                owner = next(element.parent for element in link.elements if element.column.name == "id")
                if table is not SyncedClient.__table__:
                    work.session.execute(delete(table).where(owner == user_id))


def _check_successor(work: Work, successor_id: int, user_id: int) -> None:
    found = work.session.get(UserAccount, successor_id)
    if found is None or found.is_blocked or successor_id == user_id:
        raise Invalid({"successor_id": _("There is no such colleague.")})
