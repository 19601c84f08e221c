"""Changing the lines of a card, and only those, whose fields changed in the contact."""

from collections.abc import Callable, Sequence
from typing import Final

from core.directory.books.cards.fields import (
    ADDRESS_PARTS,
    LABEL_OF_TYPE,
    CardFields,
    Way,
    address_of,
    country_code,
    country_name,
    first,
    full_name,
    label_of,
    number_of,
    preferred,
)
from core.directory.books.cards.lines import (
    Line,
    components,
    escape,
    escape_component,
    head_of,
    joined,
    name_parts,
    newline_of,
    parse_card,
    unescape,
    written,
)

TYPE_OF_LABEL: Final = {label: kind for kind, label in LABEL_OF_TYPE.items()}
ENCODING_PARAMS: Final = frozenset({"ENCODING", "CHARSET", "VALUE"})


def new_card(uid: str, fields: CardFields) -> str:
    """A vCard 3.0 for a contact that no client has written yet."""
    heads = [("BEGIN:", "VCARD"), ("VERSION:", "3.0"), ("UID:", escape(uid))]
    lines = [written(head, value) for head, value in heads]
    blank = CardFields(name="")
    lines.append(written("END:", "VCARD"))
    return joined(_patched(lines, blank, fields, home=""))


def patch_card(text: str, before: CardFields, after: CardFields, *, home: str) -> str:
    """The card with the lines changed of those fields that differ between ``before`` and ``after``.

    A line that says already what it should stays as it is, so a second patch changes nothing.
    """
    return joined(_patched(parse_card(text), before, after, home=home))


def _patched(lines: Sequence[Line], before: CardFields, after: CardFields, *, home: str) -> list[Line]:
    found = list(lines)
    if before.name != after.name:
        _set(found, "FN", escape(after.name), reads=lambda line: " ".join(unescape(line.value).split()) == after.name)
        _set(found, "N", name_parts(after.name), reads=lambda line: full_name([line]) == after.name)
    if before.organization != after.organization:
        _set_organization(found, after.organization)
    for field, name in (("job_title", "TITLE"), ("note", "NOTE")):
        wanted: str = getattr(after, field)
        if getattr(before, field) != wanted:
            _set(found, name, escape(wanted), reads=_says(wanted))
    _patch_address(found, before, after)
    _patch_ways(found, "TEL", before.phones, after.phones, same=lambda line: number_of(line, home))
    _patch_ways(found, "EMAIL", before.emails, after.emails, same=lambda line: address_of(line).lower())
    return found


def _says(wanted: str) -> Callable[[Line], bool]:
    return lambda line: unescape(line.value).replace("\r\n", "\n").strip() == wanted


def _set(lines: list[Line], name: str, value: str, *, reads: Callable[[Line], bool]) -> None:
    """Let the first line ``name`` have the escaped ``value``, unless it reads so already; if it is empty, all go."""
    place = next((index for index, line in enumerate(lines) if line.name == name), None)
    if place is None:
        if value.strip(";"):
            lines.insert(_end_of(lines, name), written(f"{name}:", value, newline=newline_of(lines)))
    elif not value.strip(";") and name not in {"FN", "N"}:
        lines[:] = [line for line in lines if line.name != name]
    elif not reads(lines[place]):
        lines[place] = written(_plain_head(lines[place]), value, newline=newline_of(lines))


def _set_organization(lines: list[Line], wanted: str) -> None:
    """Another company; the department goes with the one that it belonged to."""
    if components(first(lines, "ORG"))[0].strip() != wanted:
        _set(lines, "ORG", escape_component(wanted), reads=lambda _line: False)


def _patch_address(lines: list[Line], before: CardFields, after: CardFields) -> None:
    wanted = {2: ("street", after.street), 3: ("city", after.city), 5: ("postal_code", after.postal_code)}
    changed = {index: value for index, (field, value) in wanted.items() if getattr(before, field) != value}
    if before.country != after.country:
        changed[6] = country_name(after.country) if after.country else ""
    if not changed:
        return
    parts = components(preferred(lines, "ADR"))
    parts += [""] * (ADDRESS_PARTS - len(parts))
    told = [*parts]
    for index, value in changed.items():
        told[index] = parts[index] if _is_same_part(index, parts[index], value) else value
    if told == parts:
        return
    value = ";".join(escape_component(part) for part in told)
    place = next(
        (index for index, line in enumerate(lines) if line.name == "ADR" and line.value == preferred(lines, "ADR")),
        None,
    )
    if place is None:
        lines.insert(_end_of(lines, "ADR"), written("ADR;TYPE=WORK:", value, newline=newline_of(lines)))
    elif value.strip(";"):
        lines[place] = written(_plain_head(lines[place]), value, newline=newline_of(lines))
    else:
        del lines[place]


def _is_same_part(index: int, stands: str, wanted: str) -> bool:
    if index == ADDRESS_PARTS - 1:
        return country_code(stands) == country_code(wanted)
    return " ".join(stands.split()) == " ".join(wanted.split())


def _patch_ways(
    lines: list[Line], name: str, before: Sequence[Way], after: Sequence[Way], *, same: Callable[[Line], str]
) -> None:
    """Numbers and addresses are a set: those that went are taken out, new ones come after the last of their kind."""
    old, new = {value.lower(): label for value, label in before}, {way[0].lower(): way for way in after}
    for key in old.keys() - new.keys():
        gone = [line for line in lines if line.name == name and same(line) == key]
        lines[:] = _without_labels([line for line in lines if line not in gone], {line.group.lower() for line in gone})
    for key, (value, label) in new.items():
        place = next((index for index, line in enumerate(lines) if line.name == name and same(line) == key), None)
        if place is None and key not in old:
            lines.insert(
                _end_of(lines, name), written(_way_head(name, label), escape(value), newline=newline_of(lines))
            )
        elif place is not None and old.get(key, label) != label and label_of(lines[place]) != label:
            lines[place] = _relabelled(lines[place], label, newline_of(lines))


def _without_labels(lines: Sequence[Line], groups: set[str]) -> list[Line]:
    """Without the labels of groups (``item1.X-ABLABEL``) that nothing else is left of."""
    left = {line.group.lower() for line in lines if not line.name.startswith("X-")}
    empty = groups - left - {""}
    return [line for line in lines if line.group.lower() not in empty]


def _relabelled(line: Line, label: str, newline: str) -> Line:
    kept = [(key, value) for key, value in line.params if not (key == "TYPE" and value.upper() in LABEL_OF_TYPE)]
    if label in TYPE_OF_LABEL:
        kept.append(("TYPE", TYPE_OF_LABEL[label]))
    return written(head_of(line, kept), line.value, newline=newline)


def _way_head(name: str, label: str) -> str:
    kind = TYPE_OF_LABEL.get(label)
    base = "EMAIL;TYPE=INTERNET" if name == "EMAIL" else name
    return f"{base}{',' if kind and name == 'EMAIL' else ';TYPE=' if kind else ''}{kind or ''}:"


def _plain_head(line: Line) -> str:
    """The head for a new value: how the old one was encoded says nothing about the new one."""
    if not any(key in ENCODING_PARAMS for key, _ in line.params):
        return line.head
    return head_of(line, [(key, value) for key, value in line.params if key not in ENCODING_PARAMS])


def _end_of(lines: Sequence[Line], name: str) -> int:
    """Where a new line of this name goes: behind the last one, else before ``END``."""
    places = [index for index, line in enumerate(lines) if line.name == name]
    return places[-1] + 1 if places else len(lines) - 1
