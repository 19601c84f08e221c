"""What the form of a person holds: everything as typed, so that a refused form can be shown again."""

from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from core.people.drafts import INVITED, KINDS, PersonDraft
from core.people.queries import STATES, PeopleFilter, PersonDetail
from core.people.telephony import NEW_ACCOUNT, LineDraft
from tenant_app.typed import as_id, as_needle

LINES: Final = (
    "name", "email", "kind", "permission_group_id", "business_number", "sms_sender", "locale", "way", "number",
    "caller_id", "account",
)  # fmt: skip

Typed = dict[str, Any]
"""Each of ``LINES`` as a text, and ``groups``: ids of user groups."""


def first_values(*, number: str, locale: str) -> Typed:
    """The form of a new person; ``number`` is a free line."""
    empty = dict.fromkeys(LINES, "")
    first = {"kind": KINDS[0], "way": INVITED, "number": number, "account": NEW_ACCOUNT, "locale": locale}
    return {**empty, **first, "groups": []}


def typed_values(form: MultiDict[str, str]) -> Typed:
    """What was posted; passwords are not shown again."""
    groups = [found for text in form.getlist("groups") if (found := as_id(text)) is not None]
    return {field: form.get(field, "") for field in LINES} | {"groups": groups}


def stored_values(person: PersonDetail, *, business_number: str) -> Typed:
    """What the form shows of a person; ``business_number`` as it is written here."""
    row = person.row
    return dict.fromkeys(LINES, "") | {
        "name": row.name,
        "email": row.email,
        "kind": row.kind,
        "permission_group_id": str(row.permission_group_id),
        "business_number": business_number,
        "sms_sender": person.sms_sender,
        "locale": person.locale,
        "number": row.line_number,
        "caller_id": person.caller_id,
        "groups": sorted(person.group_ids),
    }


def as_draft(values: Typed, form: MultiDict[str, str]) -> PersonDraft:
    """The draft for the service."""
    return PersonDraft(
        email=values["email"],
        name=values["name"],
        permission_group_id=as_id(values["permission_group_id"]),
        business_number=values["business_number"],
        groups=tuple(values["groups"]),
        kind=values["kind"],
        sms_sender=values["sms_sender"],
        locale=values["locale"],
        way=values["way"],
        password=form.get("password", ""),
        password_again=form.get("password_again", ""),
    )


def as_line_draft(values: Typed) -> LineDraft:
    """The line for the service."""
    return LineDraft(number=values["number"], caller_id=values["caller_id"], account=values["account"])


def as_filter(arguments: MultiDict[str, str]) -> PeopleFilter:
    """What the list's address says; what makes no sense leaves nobody out."""
    kind, state = arguments.get("kind", ""), arguments.get("state", "")
    return PeopleFilter(
        text=as_needle(arguments.get("q")),
        kind=kind if kind in KINDS else "",
        state=state if state in STATES else "",
    )


def list_url(wanted: PeopleFilter, **changed: object) -> str:
    """The list's address with some of it changed."""
    values = {"q": wanted.text, "kind": wanted.kind, "state": wanted.state, **changed}
    given = {name: value for name, value in values.items() if value}
    return "/people/" + (f"?{urlencode(given)}" if given else "")
