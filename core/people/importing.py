"""Several people from one table: what it says of each, what is wrong with it, and inviting those who are right.

The table is CSV as spreadsheets write it: divided by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1250. Its
first row names the columns, in any of the product's languages.
"""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.calls.lines import free_number
from core.foundation.errors import Invalid
from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.people.accounts import add_person, problems_of_person
from core.people.drafts import INVITED, KINDS, PersonDraft, Problems
from core.people.guards import permission_choices, user_group_choices
from core.people.telephony import LineDraft
from core.tenants.service import tenant_profile

MOST_ROWS: Final = 200
MOST_CHARACTERS: Final = 200_000
DELIMITERS: Final = (",", ";", "\t")
COLUMNS: Final = {
    "name": ("name", "full name", "jmeno", "jmeno a prijmeni", "imie i nazwisko", "nazwisko"),
    "email": ("email", "e-mail", "mail"),
    "permission_group": ("permission group", "role", "skupina opravneni", "opravneni", "grupa uprawnien"),
    "groups": ("user groups", "skupiny uzivatelu", "grupy uzytkownikow"),
    "kind": ("kind", "druh", "rodzaj"),
    "line": ("line", "extension", "linka", "linia"),
    "business_number": ("business number", "phone", "sluzebni cislo", "telefon", "numer sluzbowy"),
    "locale": ("language", "jazyk", "jezyk"),
}
"""What a column may be called, without accents and capitals."""
KIND_WORDS: Final = {
    "call_centre": ("call centre", "call center", "call centrum", "call_centre"),
    "back_office": ("back office", "back-office", "back_office"),
}
LANGUAGE_WORDS: Final = {
    "en": ("en", "english", "anglictina", "angielski"),
    "cs": ("cs", "cz", "czech", "cestina", "czeski"),
    "pl": ("pl", "polish", "polstina", "polski"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read. ``columns`` are keys of ``COLUMNS``, empty for one that is not known."""

    header: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    delimiter: str

    @property
    def unknown(self) -> list[str]:
        """Names of columns that are left out."""
        return [name for name, column in zip(self.header, self.columns, strict=True) if not column and name.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedRow:
    """A row of the table. ``place`` counts from 1 below the header; without ``problems`` it can be invited."""

    place: int
    cells: Sequence[str]
    draft: PersonDraft
    line: LineDraft | None
    problems: Mapping[str, Message]


def decoded(raw: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, else Windows-1250, in which older spreadsheets write."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1250", errors="replace")


def read_table(text: str) -> Table:
    """The rows that are not empty; raises ``Invalid`` under ``table``."""
    if len(text) > MOST_CHARACTERS:
        raise Invalid({"table": _("This is too much for one table. Divide it into several.")})
    lines = text.replace("\0", "").strip().splitlines()
    if not lines:
        raise Invalid({"table": _("Choose a file, or paste a table.")})
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        read = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error as error:
        raise Invalid({"table": _("This table cannot be read. Save it as CSV and try again.")}) from error
    columns = [_column(name) for name in read[0]]
    rows = [row for row in read[1:] if any(cell.strip() for cell in row)]
    if "email" not in columns or "name" not in columns:
        raise Invalid({"table": _("The first row must name the columns, “name” and “email” among them.")})
    if not rows:
        raise Invalid({"table": _("There is nobody below the names of the columns.")})
    if len(rows) > MOST_ROWS:
        raise Invalid({"table": _("At most %(limit)d people at once. Divide the table.", limit=MOST_ROWS)})
    return Table(read[0], columns, rows, delimiter)


def checked_rows(work: Work, table: Table, *, permission_group_id: int | None) -> list[InvitedRow]:
    """Every row with what is wrong with it; nobody is invited. ``permission_group_id`` is for rows that name none.

    Call-centre users without a line get the next free ones if the actor may give lines. Raises ``Invalid`` for a group
    that the actor cannot put people into.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    usual = {choice.id for choice in permission_choices(work) if choice.is_assignable}
    if permission_group_id is not None and permission_group_id not in usual:
        raise Invalid({"permission_group_id": _("There is no such permission group.")})
    reader = _Reader(work, permission_group_id)
    drafts = [reader.drafted(dict(zip(table.columns, row, strict=False))) for row in table.rows]
    numbers = _free_numbers(work, [line.number for _draft, line, _problems in drafts if line])
    checked: list[InvitedRow] = []
    for place, (cells, (draft, named, problems)) in enumerate(zip(table.rows, drafts, strict=True), start=1):
        lacks_line = named is not None and not named.number and draft.kind == KINDS[0]
        line = LineDraft(number=next(numbers, "")) if lacks_line else named
        found = {**problems_of_person(work, draft, line), **problems, **_twice(checked, draft, line)}
        checked.append(InvitedRow(place=place, cells=cells, draft=draft, line=line, problems=found))
    return checked


def invite_rows(work: Work, rows: Sequence[InvitedRow]) -> int:
    """Create and invite everybody whose row has no problem; answers how many."""
    good = [row for row in rows if not row.problems]
    for row in good:
        add_person(work, row.draft, row.line)
    return len(good)


def written(table: Table, rows: Sequence[InvitedRow]) -> str:
    """These rows as a table again, exactly as they were typed."""
    text = io.StringIO()
    csv.writer(text, delimiter=table.delimiter, lineterminator="\n").writerows(
        [table.header, *(row.cells for row in rows)]
    )
    return text.getvalue()


class _Reader:
    """Turns cells into drafts; knows the company's groups by their names."""

    def __init__(self, work: Work, permission_group_id: int | None) -> None:
        self.locale = tenant_profile(work).locale
        self.usual = permission_group_id
        self.permission_groups = {_folded(choice.name): choice.id for choice in permission_choices(work)}
        self.user_groups = {_folded(choice.name): choice.id for choice in user_group_choices(work)}
        self.gives_lines = work.actor.may(Permission.LINES_MANAGE)

    def drafted(self, cells: Mapping[str, str]) -> tuple[PersonDraft, LineDraft | None, Problems]:
        """The draft of a row, its line, and what of its words means nothing."""
        problems: Problems = {}
        group = cells.get("permission_group", "").strip()
        group_id = self.permission_groups.get(_folded(group)) if group else self.usual
        if group and group_id is None:
            problems["permission_group_id"] = _("There is no permission group “%(name)s”.", name=group)
        names = [name.strip() for name in cells.get("groups", "").replace("|", ";").split(";") if name.strip()]
        for name in names:
            if _folded(name) not in self.user_groups:
                problems["groups"] = _("There is no user group “%(name)s”.", name=name)
        number = cells.get("line", "").strip()
        if number and not self.gives_lines:
            problems["number"] = _("Only those who manage lines can give one.")
        draft = PersonDraft(
            name=cells.get("name", ""),
            email=cells.get("email", ""),
            permission_group_id=group_id,
            groups=tuple(self.user_groups[_folded(name)] for name in names if _folded(name) in self.user_groups),
            kind=_meant(KIND_WORDS, cells.get("kind", ""), usual=KINDS[0]),
            locale=_meant(LANGUAGE_WORDS, cells.get("locale", ""), usual=self.locale),
            business_number=cells.get("business_number", ""),
            way=INVITED,
        )
        return draft, LineDraft(number=number) if self.gives_lines else None, problems


def _twice(earlier: Sequence[InvitedRow], draft: PersonDraft, line: LineDraft | None) -> Problems:
    """What an earlier row of the table has too."""
    problems: Problems = {}
    for row in earlier:
        if draft.email.strip() and row.draft.email.strip().casefold() == draft.email.strip().casefold():
            problems["email"] = _("Row %(row)d has this e-mail too.", row=row.place)
        if line and line.number and row.line and row.line.number == line.number:
            problems["number"] = _("Row %(row)d has this line too.", row=row.place)
    return problems


def _free_numbers(work: Work, named: Sequence[str]) -> Iterator[str]:
    """Numbers after the highest line, without those that the table names itself."""
    first = free_number(work) if work.actor.may(Permission.LINES_MANAGE) else ""
    if first:
        for number in range(int(first), 10 ** len(first)):
            if str(number) not in named:
                yield str(number)


def _meant(words: Mapping[str, Sequence[str]], typed: str, *, usual: str) -> str:
    """The code whose word was typed; what means nothing stays, for the check to refuse."""
    if not typed.strip():
        return usual
    return next((code for code, known in words.items() if _folded(typed) in known), typed.strip())


def _column(name: str) -> str:
    return next((column for column, names in COLUMNS.items() if _folded(name) in names), "")


def _folded(text: str) -> str:
    """Without accents and capitals, spaces folded."""
    plain = text.casefold().replace("ł", "l").replace("\ufeff", "")  # the first, Unicode does not take apart
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return " ".join(bare.split())
