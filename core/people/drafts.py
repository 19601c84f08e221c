"""What is typed about a person, and what is wrong with it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from core.directory import checks
from core.directory.phones import NotANumber, as_e164
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.errors import Invalid
from core.foundation.i18n import LOCALES, Message, _
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount, UserGroupMember
from core.identity.naming import NOWHERE, no_address
from core.identity.owners import is_owner
from core.identity.passwords import check_new_password
from core.people.guards import permission_choices, user_group_choices
from core.tenants.service import tenant_profile

KINDS: Final = ("call_centre", "back_office")
INVITED, WITH_PASSWORD, PHONE_ONLY = "invitation", "password", "none"
WAYS: Final = (INVITED, WITH_PASSWORD, PHONE_ONLY)
SENDER_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")
"""An alphanumeric sender of an SMS (GSM 03.40, 9.1.2.5: at most 11 signs), without those that networks change."""
LONGEST_ADDRESS: Final = 254

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDraft:
    """A person to create, or what they are to become. ``groups`` are ids of user groups.

    ``way`` says how a new one gets in: by an ``invitation``, by a ``password`` that is typed here twice, or not at all
    (``none``), such as the phone in a warehouse (D-FAQ-16). Of somebody who exists an empty password stays as it is.
    """

    email: str
    name: str
    permission_group_id: int | None
    business_number: str = ""
    groups: tuple[int, ...] = ()
    kind: str = "call_centre"
    sms_sender: str = ""
    locale: str = "en"
    way: str = INVITED
    password: str = ""
    password_again: str = ""


def checked_person(work: Work, problems: Problems, draft: PersonDraft, *, user: UserAccount | None) -> PersonDraft:
    """The draft as it is stored, for a new person or for ``user``; every problem stands under its field."""
    country = tenant_profile(work).country
    if draft.kind not in KINDS:
        problems["kind"] = _("There is no such kind of user.")
    if draft.locale not in LOCALES:
        problems["locale"] = _("There is no such language.")
    _check_permission_group(work, problems, draft.permission_group_id, user)
    _check_groups(work, problems, draft.groups, user)
    _check_password(work, problems, draft, user)
    return replace(
        draft,
        email=_address(work, problems, draft, user),
        name=checks.name(problems, draft.name, missing=_("Enter a name.")),
        business_number=_number(problems, "business_number", draft.business_number, country),
        sms_sender=_sender(problems, draft.sms_sender, country),
        groups=tuple(sorted(set(draft.groups))),
    )


def _address(work: Work, problems: Problems, draft: PersonDraft, user: UserAccount | None) -> str:
    signs_in = draft.way != PHONE_ONLY if user is None else user.password_hash is not None or bool(draft.password)
    if not draft.email.strip() and not signs_in:
        return user.email if user is not None and user.email.endswith(NOWHERE) else no_address()
    try:
        email = checked_address(draft.email[: LONGEST_ADDRESS + 100]).lower()
    except NotAnAddress:
        problems["email"] = _("Enter an e-mail address, such as name@company.com.")
        return draft.email
    query = select(UserAccount.name).where(UserAccount.email == email)
    taken_by = work.session.scalar(query if user is None else query.where(UserAccount.id != user.id))
    if len(email) > LONGEST_ADDRESS or email.endswith(NOWHERE):
        problems["email"] = _("This address cannot be used.")
    elif taken_by:
        problems["email"] = _("%(name)s signs in with this e-mail already.", name=taken_by)
    return email


def _check_permission_group(work: Work, problems: Problems, group_id: int | None, user: UserAccount | None) -> None:
    choices = {choice.id: choice for choice in permission_choices(work)}
    current = user.permission_group_id if user else None
    if group_id is None:
        problems["permission_group_id"] = _("Choose a permission group.")
    elif group_id not in choices:
        problems["permission_group_id"] = _("There is no such permission group.")
    elif group_id == current:
        return  # whoever stays in their group may stay there, though the actor could not put them into it
    elif user is not None and user.id == work.actor.user_id and not is_owner(work):
        problems["permission_group_id"] = _("You cannot change your own rights. An owner can.")
    elif not choices[group_id].is_assignable:
        problems["permission_group_id"] = _("This group may do more than you. Only an owner can put people into it.")


def _check_groups(work: Work, problems: Problems, groups: Collection[int], user: UserAccount | None) -> None:
    choices = {choice.id: choice for choice in user_group_choices(work)}
    joined = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == (user.id if user else 0))
    current = set(work.session.scalars(joined))
    added = set(groups) - current
    position = {choice.id for choice in choices.values() if choice.is_position}
    if added - choices.keys():
        problems["groups"] = _("There is no such user group.")
    elif user is not None and user.id == work.actor.user_id and set(groups) - position != current - position:
        if not is_owner(work):
            problems["groups"] = _("You cannot change your own rights. An owner can.")
    elif closed := [choices[group_id].name for group_id in added if not choices[group_id].is_assignable]:
        problems["groups"] = _("“%(name)s” shows more than you see. Only an owner can put people in.", name=closed[0])


def _check_password(work: Work, problems: Problems, draft: PersonDraft, user: UserAccount | None) -> None:
    if user is None and draft.way not in WAYS:
        problems["way"] = _("Choose how they sign in.")
    is_asked = draft.way == WITH_PASSWORD if user is None else bool(draft.password or draft.password_again)
    if is_asked and user is not None and user.id == work.actor.user_id:
        problems["password"] = _("Change your own password on the page “Security”.")
    elif is_asked:
        try:
            check_new_password(draft.password, draft.password_again)
        except Invalid as error:
            problems.update(error.problems)


def _number(problems: Problems, field: str, typed: str, country: str) -> str:
    if not typed.strip():
        return ""
    try:
        return as_e164(typed, country)
    except NotANumber as error:
        problems[field] = error.problem
        return typed


def _sender(problems: Problems, typed: str, country: str) -> str:
    text = typed.strip()
    if not text or SENDER_NAME.fullmatch(text):
        return text
    if any(sign.isalpha() for sign in text):
        problems["sms_sender"] = _("A name has at most 11 letters (A to Z) and digits, without spaces.")
        return typed
    return _number(problems, "sms_sender", typed, country)
