"""The company picker of the contact's form, with and without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from core.directory.queries import Choice, company_choices
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.contacts.forms import Typed
from tenant_app.typed import as_id


@dataclass(frozen=True, slots=True)
class PickedCompany:
    """What the picker holds: an id, nothing, or a text that names no single company, with ``problem`` about it."""

    id: int | None
    problem: str = ""
    namesakes: Sequence[Choice] = ()


def picked_company(work: Work, values: Typed, *, stored: int | None) -> PickedCompany:
    """The company that was picked. Without scripts its text was typed over, and is looked up by name.

    Who may not read companies does not see the picker: the ``stored`` one stays.
    """
    if not work.actor.may(Permission.COMPANIES_READ):
        return PickedCompany(stored)
    text = _folded(values["company"])
    if text == _folded(values["company_shown"]):
        return PickedCompany(as_id(values["company_id"]))
    if not text:
        return PickedCompany(None)
    namesakes = [choice for choice in company_choices(work, text) if _folded(choice.name) == text]
    if len(namesakes) == 1:
        return PickedCompany(namesakes[0].id)
    values["company_id"] = ""
    if namesakes:
        values["company_shown"] = values["company"]
        return PickedCompany(0, _("Several companies have this name; choose one."), namesakes)
    return PickedCompany(0, _("No company has this name. Choose one from the list, or create it first."))


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
