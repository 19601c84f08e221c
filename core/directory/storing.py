"""A contact's rows: one statement reads them all, one writes them all and tells of it.

``contact_store`` (migration 0009) writes the contact, its numbers and addresses, and its company's name among its
search words where that may stand; ``app_announce`` writes the history and the event.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.directory.events import ContactSaved
from core.directory.models import Contact
from core.directory.words import words_of_contact
from core.foundation import clock
from core.foundation.announcing import ANNOUNCE, announcement
from core.foundation.errors import NotFound
from core.foundation.sorting import sort_key
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile

Values = Mapping[str, Any]
Pairs = Sequence[Sequence[str]]
"""Numbers or addresses, each with its label, as JSON holds them."""


def store_contact(work: Work, contact_id: int | None, values: Values, *, before: Values, told: Values) -> int:
    """Write a checked contact, over the one of ``contact_id`` or as a new one, and tell of it; answers its id.

    ``values`` and ``before`` have the columns by name, and ``phones`` and ``emails`` as pairs; ``told`` are those of
    the values that the history shall have. Numbers and addresses that are the same as before stay untouched. Emits
    ``ContactSaved``.
    """
    phones, emails = values["phones"], values["emails"]
    plain = {name: value for name, value in values.items() if name not in {"phones", "emails"}}
    plain["sort_key"] = "\\x" + sort_key(values["name"], tenant_profile(work).locale).hex()
    plain["updated_at"] = clock.now().isoformat()
    row = {
        "target": contact_id,
        "stored": json.dumps(plain),
        "words": words_of_contact(values["name"], values["city"], _first(phones), _first(emails)),
        "phones": _changed(phones, before.get("phones")),
        "emails": _changed([[one, one.lower(), label] for one, label in emails], _with_lower(before.get("emails"))),
    }
    row |= announcement(work, "contact", (), before=before, after=told, event=ContactSaved.name)
    stored_id: int = _STORE.one(work.session, row).id
    known = work.session.identity_map.get(work.session.identity_key(Contact, stored_id))
    if known is not None:
        work.session.expire(known)
    return stored_id


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact as it stands. ``values`` are what ``store_contact`` takes."""

    values: dict[str, Any]
    version: int
    is_company_seen: bool


def stored_contact(work: Work, contact_id: int) -> StoredContact:
    """The contact, locked; raises ``NotFound``."""
    found = _STORED.one(work.session, {"contact_id": contact_id})
    if found is None:
        raise NotFound
    values: dict[str, Any] = found._asdict()
    return StoredContact(values, values.pop("version"), values.pop("is_company_seen"))


def _changed(rows: Pairs, before: Pairs | None) -> str | None:
    return None if rows == before or (not rows and before is None) else json.dumps(rows)


def _with_lower(pairs: Pairs | None) -> Pairs | None:
    return pairs and [[one, one.lower(), label] for one, label in pairs]


def _first(pairs: Pairs) -> list[str]:
    return [pair[0] for pair in pairs]


_STORE: Final = Statement(
    """with stored as materialized (select contact_store(:target, cast(:stored as jsonb), :words,
        cast(:phones as jsonb), cast(:emails as jsonb)) as id)
    select id, """
    + ANNOUNCE.format(
        subject="id",
        payload="jsonb_build_object('contact_id', id)",
        message="cast(jsonb_set(cast(:message as jsonb), '{ids}', jsonb_build_array(id)) as text)",
    )
    + " from stored"
)

_STORED: Final = Statement(
    """select c.database_id, c.name, c.job_title, c.street, c.city, c.postal_code, c.country, c.note, c.owner_id,
        c.company_id, c.version, c.company_id is null or exists (select from company f where f.id = c.company_id)
            as is_company_seen,
        array(select array[p.number, p.label] from contact_phone p where p.contact_id = c.id order by p.position)
            as phones,
        array(select array[e.address, e.label] from contact_email e where e.contact_id = c.id order by e.position)
            as emails
    from contact c where c.id = :contact_id for update"""
)
