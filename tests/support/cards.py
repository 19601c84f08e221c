"""Cards for tests: by hand, and drawn by hypothesis in every form that clients write."""

from dataclasses import replace

from hypothesis import strategies as st

from core.directory.books.cards.fields import CardFields
from core.directory.books.cards.lines import FOLD_OCTETS

NUMBERS = ("+420601123456", "+420222333444", "+48601234567", "+442071838750", "+493012345678", "+12125550123")
ADDRESSES = ("jana@firma.example", "J.Mala@Firma.example", "info@x.example", "a+b@c.example", "o'neil@d.example")
LABELS = ("mobile", "work", "home", "")
COUNTRIES = ("", "CZ", "PL", "DE", "GB", "US", "CI")

SIGNS = st.one_of(
    st.sampled_from('\\,;:"=n ěŘ佐𝔸é'), st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs", "Cf", "Cn"])
)
"""What a line may hold: often what has a meaning in cards, and several octets long."""

VALUES = st.text(SIGNS, max_size=120)
LINES_OF_TEXT = VALUES.map(lambda text: " ".join(text.split()))
NOTES = st.lists(LINES_OF_TEXT, max_size=4).map(lambda lines: "\n".join(lines).strip())

HEADS = st.sampled_from(
    (
        "N:", "N;LANGUAGE=cs:", "ORG:", "TITLE:", "ROLE:", "NOTE:", "note;charset=utf-8:", "CATEGORIES:", "UID:",
        "BDAY;VALUE=date:", "PHOTO;ENCODING=b;TYPE=JPEG:", "REV:", "X-ABShowAs:", "X-PHONETIC-LAST-NAME:",
    )
)  # fmt: skip
GROUPED_HEADS = st.sampled_from(
    (
        "ADR;TYPE=HOME:", "ADR;TYPE=WORK,PREF:", "TEL:", "TEL;TYPE=CELL:", "tel;CELL;VOICE:",
        'TEL;TYPE="work";X-A="a;b:c":', "EMAIL;TYPE=INTERNET:", "EMAIL:", "URL:", "X-ABLabel:", "X-ABADR:",
    )
)  # fmt: skip
GROUPS = st.sampled_from(("", "", "", "item1.", "item2.", "ITEM1.", "home."))
NEWLINES = st.sampled_from(("\r\n", "\n"))


@st.composite
def raw_lines(draw: st.DrawFn, newline: str) -> str:
    """A content line as some client folds it: anywhere in its value, or not at all."""
    head = draw(st.one_of(HEADS, st.builds("".join, st.tuples(GROUPS, GROUPED_HEADS))))
    value = draw(st.one_of(VALUES, st.sampled_from((*NUMBERS, *ADDRESSES))))
    width = draw(st.integers(min_value=1, max_value=FOLD_OCTETS))
    pieces = [value[place : place + width] for place in range(0, len(value), width)] or [""]
    space = draw(st.sampled_from((" ", "\t")))
    return head + f"{newline}{space}".join(pieces) + newline


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A whole card that ``parse_card`` takes."""
    newline = draw(NEWLINES)
    lines = draw(st.lists(raw_lines(newline), max_size=12))
    version = draw(st.sampled_from(("3.0", "4.0")))
    return (
        newline.join(("BEGIN:VCARD", f"VERSION:{version}", "FN:Jana Malá", "")) + "".join(lines) + f"END:VCARD{newline}"
    )


@st.composite
def people(draw: st.DrawFn) -> CardFields:
    """What a contact may hold, as the service stores it."""
    return CardFields(
        name=draw(LINES_OF_TEXT.filter(bool)),
        organization=draw(LINES_OF_TEXT),
        job_title=draw(LINES_OF_TEXT),
        street=draw(LINES_OF_TEXT),
        city=draw(LINES_OF_TEXT),
        postal_code=draw(LINES_OF_TEXT),
        country=draw(st.sampled_from(COUNTRIES)),
        note=draw(NOTES),
        phones=draw(_ways(NUMBERS)),
        emails=draw(_ways(ADDRESSES)),
    )


def _ways(values: tuple[str, ...]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    labelled = st.tuples(st.sampled_from(values), st.sampled_from(LABELS))
    return st.lists(labelled, max_size=4, unique_by=lambda way: way[0]).map(tuple)


def person(name: str = "Jana Malá", **fields: object) -> CardFields:
    """Somebody with these fields."""
    return replace(CardFields(name=name), **fields)  # type: ignore[arg-type]  # a test's own words


def card(*lines: str, version: str = "3.0", newline: str = "\r\n") -> str:
    """A card with these lines."""
    return newline.join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))
