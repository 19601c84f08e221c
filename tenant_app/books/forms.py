"""What a book's form holds: everything as typed, so that a refused form can be shown again."""

from collections.abc import Iterable
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from core.directory.books.queries import BookDetail
from core.directory.books.service import BookDraft, BookGrant, SyncPolicy
from tenant_app.typed import as_id

GROUP: Final = "group-"
NOT_GRANTED: Final = ""

Typed = dict[str, Any]
"""``name``, ``database_id``, ``audience`` (``everyone`` or ``groups``), ``sync_policy``; ``groups``: policies by id."""


def typed_values(form: MultiDict[str, str]) -> Typed:
    """What was posted."""
    groups = {as_id(name[len(GROUP) :]): form[name] for name in form if name.startswith(GROUP)}
    return {
        "name": form.get("name", ""),
        "database_id": form.get("database_id", ""),
        "audience": form.get("audience", "everyone"),
        "sync_policy": form.get("sync_policy", SyncPolicy.APP_ONLY),
        "groups": {group_id: policy for group_id, policy in groups.items() if group_id},
    }


def stored_values(book: BookDetail) -> Typed:
    """What the form shows of a book."""
    return {
        "name": book.name,
        "database_id": book.database_id,
        "audience": "everyone" if book.everyone_sees else "groups",
        "sync_policy": book.sync_policy,
        "groups": {grant.user_group_id: grant.sync_policy for grant in book.grants},
    }


def as_draft(values: Typed) -> BookDraft:
    """The draft for the service; a policy that does not exist becomes the strictest."""
    return BookDraft(
        name=values["name"],
        database_id=as_id(values["database_id"]) or 0,
        everyone_sees=values["audience"] == "everyone",
        sync_policy=_policy(values["sync_policy"]),
        grants=tuple(_grants(values["groups"].items())),
    )


def _grants(groups: Iterable[tuple[int, str]]) -> Iterable[BookGrant]:
    return (BookGrant(group_id, _policy(policy)) for group_id, policy in groups if policy != NOT_GRANTED)


def _policy(text: str) -> SyncPolicy:
    return SyncPolicy(text) if text in set(SyncPolicy) else SyncPolicy.NONE
