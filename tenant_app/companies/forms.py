"""What a company's form holds: everything as typed, so that a refused form can be shown again."""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from core.directory.queries import CompanyDetail
from core.directory.service import CompanyDraft, Reachable
from tenant_app.typed import as_id

LINES: Final = (
    "name",
    "registration_number",
    "vat_number",
    "website",
    "street",
    "city",
    "postal_code",
    "country",
    "note",
    "owner_id",
    "database_id",
)

Typed = dict[str, Any]
"""Texts by field; ``phones`` and ``emails`` are lists of rows as the multi-value field takes them."""


def typed_values(form: MultiDict[str, str]) -> Typed:
    """What was posted, with rows in the order of the page."""
    values: Typed = {field: form.get(field, "") for field in LINES}
    values["phones"] = _rows(form, "phones", "number")
    values["emails"] = _rows(form, "emails", "address")
    return values


def stored_values(company: CompanyDetail, *, shown: Mapping[str, str]) -> Typed:
    """What the form shows of a company; ``shown`` maps numbers to how they are written here."""
    values: Typed = {field: getattr(company, field) or "" for field in LINES}
    values["phones"] = [{"number": shown[way.value], "label": way.label} for way in company.phones]
    values["emails"] = [{"address": way.value, "label": way.label} for way in company.emails]
    return values


def as_draft(values: Typed) -> CompanyDraft:
    """The draft for the service; what is no id becomes one that nothing has."""
    return CompanyDraft(
        name=values["name"],
        database_id=as_id(values["database_id"]) or 0,
        registration_number=values["registration_number"],
        vat_number=values["vat_number"],
        website=values["website"],
        street=values["street"],
        city=values["city"],
        postal_code=values["postal_code"],
        country=values["country"],
        note=values["note"],
        owner_id=as_id(values["owner_id"]),
        phones=tuple(Reachable(row["number"], row["label"]) for row in values["phones"]),
        emails=tuple(Reachable(row["address"], row["label"]) for row in values["emails"]),
    )


def with_row_change(values: Typed, form: MultiDict[str, str]) -> bool:
    """Add or remove a row as the buttons of a page without scripts ask; answers whether one did."""
    added, removed = form.get("add"), form.get("remove")
    if added in {"phones", "emails"}:
        values[added].append({"index": -1})
    elif removed:
        field, _dash, index = removed.rpartition("-")
        rows = values.get(field, []) if field in {"phones", "emails"} else []
        rows[:] = [row for row in rows if str(row["index"]) != index]
    return bool(added or removed)


def _rows(form: MultiDict[str, str], field: str, key: str) -> list[dict[str, Any]]:
    """Rows ``<field>-<n>-<key>``; indexes may have gaps."""
    parts = (name.split("-") for name in form if name.startswith(f"{field}-") and name.endswith(f"-{key}"))
    indexes = sorted({int(part[1]) for part in parts if len(part) == 3 and part[1].isascii() and part[1].isdigit()})
    return [
        {key: form.get(f"{field}-{n}-{key}", ""), "label": form.get(f"{field}-{n}-label", ""), "index": n}
        for n in indexes
    ]


def bare(value: object) -> object:
    """A field as it is compared: spaces folded, rows without their places and without empty ones."""
    if isinstance(value, list):
        rows = ([row.get("number") or row.get("address") or "", row.get("label", "")] for row in value)
        return [["".join(cell.split()) for cell in row] for row in rows if row[0].strip()]
    return " ".join(str(value).split())
