"""Creating and changing people (TC-19 to TC-28, TC-34)."""

from dataclasses import dataclass

from core.calls.lines import NewDevice
from core.foundation.actor import UserId
from core.foundation.errors import Invalid
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind, withdraw_link
from core.identity.models import PermissionGroup, UserAccount
from core.identity.passwords import hash_password
from core.identity.service import UserDraft, account_values, create_user
from core.identity.sessions import end_sessions
from core.identity.user_groups import put_user_into_groups
from core.people.drafts import INVITED, WITH_PASSWORD, PersonDraft, Problems, checked_person
from core.people.guards import keep_an_owner, locked_person
from core.people.invitations import send_invitation
from core.people.telephony import LineDraft, check_line, give_line
from core.tenants.service import tenant_profile


@dataclass(frozen=True, slots=True)
class Added:
    """A person who was created, with their new SIP account, whose password is shown once."""

    user_id: UserId
    device: NewDevice | None


def problems_of_person(work: Work, draft: PersonDraft, line: LineDraft | None = None) -> Problems:
    """What is wrong with a new person, under each field; nobody is created."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    return _checked_new(work, draft, line)[1]


def add_person(work: Work, draft: PersonDraft, line: LineDraft | None = None) -> Added:
    """Create a person, invite them if the draft says so, and give them a line, which needs ``lines.manage``.

    Raises ``Invalid`` with every problem.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    checked, problems = _checked_new(work, draft, line)
    if problems:
        raise Invalid(problems)
    user_id = create_user(
        work,
        UserDraft(
            email=checked.email,
            name=checked.name,
            password=checked.password if checked.way == WITH_PASSWORD else None,
            permission_group_id=checked.permission_group_id or 0,
            locale=checked.locale,
            kind=checked.kind,
            business_number=checked.business_number,
            sms_sender=checked.sms_sender,
            groups=checked.groups,
        ),
    )
    device = give_line(work, user_id, line) if line is not None else None
    if checked.way == INVITED:
        send_invitation(work, user_id)
    tell(work, "user", [user_id])
    return Added(user_id, device)


def change_person(work: Work, user_id: int, draft: PersonDraft, line: LineDraft | None = None) -> NewDevice | None:
    """Change a person, and their line if one is given; answers a new SIP account.

    A new password signs them out everywhere. Raises ``NotFound``, ``Forbidden`` for somebody who has more than the
    actor, ``Invalid`` with every problem, and ``Conflict`` if the last owner would be none any more.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    user = locked_person(work, user_id)
    problems: Problems = {}
    checked = checked_person(work, problems, draft, user=user)
    if line is not None:
        check_line(work, problems, line, kind=checked.kind, user_id=user_id)
    if problems:
        raise Invalid(problems)
    group_id = checked.permission_group_id or 0
    if user.permission_group_id != group_id and not work.session.get_one(PermissionGroup, group_id).is_owner:
        keep_an_owner(work, user_id)
    before = account_values(work, user)
    if user.email != checked.email:
        _end_links(work, user)
    user.email, user.name = checked.email, checked.name
    user.sort_key = sort_key(checked.name, tenant_profile(work).locale)
    user.business_number, user.sms_sender = checked.business_number, checked.sms_sender
    user.permission_group_id, user.kind, user.locale = group_id, checked.kind, checked.locale
    put_user_into_groups(work, user_id, checked.groups)
    work.session.flush()
    record_change(work, "user", user_id, before=before, after=account_values(work, user))
    if checked.password:
        _set_password(work, user, checked.password)
    device = give_line(work, user_id, line) if line is not None else None
    tell(work, "user", [user_id])
    return device


def _checked_new(work: Work, draft: PersonDraft, line: LineDraft | None) -> tuple[PersonDraft, Problems]:
    problems: Problems = {}
    checked = checked_person(work, problems, draft, user=None)
    if line is not None:
        check_line(work, problems, line, kind=checked.kind)
    return checked, problems


def _set_password(work: Work, user: UserAccount, password: str) -> None:
    had = user.password_hash is not None
    user.password_hash = hash_password(password)
    _end_links(work, user)
    record_change(work, "user", user.id, before={"password": "old" if had else None}, after={"password": "new"})
    end_sessions(work, user.id)


def _end_links(work: Work, user: UserAccount) -> None:
    """A link that went to an earlier address, or before a new password, lets nobody in any more."""
    for kind in LinkKind:
        withdraw_link(work, kind, user.id)
