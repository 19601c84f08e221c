"""Every visible sentence has its words in Czech and Polish, and no sentence in a template escapes translation."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from core.foundation.i18n import CATALOGUES, LOCALES
from deploy.local.places import ROOT

KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
PLACE = re.compile(r"%\(\w+\)[sd]|%%")
PLURALS = {"cs": 3, "pl": 3}
TRANSLATED = [locale for locale in LOCALES if locale != "en"]
NAMES = {"Centrala", "English", "Čeština", "Polski", "Ctrl", "Enter", "Esc", "Cc", "kB", "MB"}
UNTRANSLATED = {"health", "gallery"}
"""A page that must stand while everything is down, for operators; and specimens with made-up people."""

LOGIC = re.compile(r"\{#.*?#\}|\{% block content_class %\}.*?\{% endblock %\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MARKUP = re.compile(r'<script.*?</script>|<style.*?</style>|<!--.*?-->|<(?:"[^"]*"|[^>"])*>|&\w+;', re.DOTALL)
WORDS = re.compile(r"[^\W\d_]{2,}")


TEMPLATES = [
    path
    for path in sorted((ROOT / "tenant_app" / "templates").rglob("*.html"))
    if not {path.stem, path.parent.name} & UNTRANSLATED
]


@cache
def sentences() -> frozenset[str | tuple[str, ...]]:
    """The msgids of all sources, as the extractor of ``./centrala translate`` finds them."""
    with (ROOT / "deploy" / "local" / "babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # the library left it untyped
    found = extract_from_dir(ROOT, mapping, options, keywords=KEYWORDS, directory_filter=_is_source)
    return frozenset(message for _file, _line, message, *_rest in found if message)


def _is_source(folder: object) -> bool:
    return Path(str(folder)).name not in {".venv", "var", "node_modules", ".git", "static"}


@cache
def catalogue(locale: str) -> Catalog:
    """The catalogue as it is kept."""
    with (CATALOGUES / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def messages(locale: str) -> Iterator[Message]:
    """The catalogue's messages without its header."""
    return (message for message in catalogue(locale) if message.id)


def key_of(message: Message) -> str | tuple[str, ...]:
    """The msgid, a pair for a plural."""
    return tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id


def test_the_extractor_finds_the_products_sentences() -> None:
    assert "Sign in" in sentences()
    assert len(sentences()) > 150


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_sentence_stands_in_the_catalogue(locale: str) -> None:
    assert sentences() - {key_of(message) for message in messages(locale)} == set()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_the_catalogue_has_nothing_that_nobody_says(locale: str) -> None:
    assert {key_of(message) for message in messages(locale)} - sentences() == set()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_sentence_has_words_and_none_is_a_guess(locale: str) -> None:
    assert [message.id for message in messages(locale) if message.fuzzy or not all(_forms(message))] == []


@pytest.mark.parametrize("locale", TRANSLATED)
def test_plurals_have_every_form_of_the_language(locale: str) -> None:
    plurals = [message for message in messages(locale) if message.pluralizable]
    assert plurals
    assert {len(_forms(message)) for message in plurals} == {PLURALS[locale]}


@pytest.mark.parametrize("locale", TRANSLATED)
def test_places_for_values_are_the_same(locale: str) -> None:
    different = [
        message.id
        for message in messages(locale)
        for form in _forms(message)
        if set(PLACE.findall(form)) != set(PLACE.findall(str(_ids(message)[-1])))
    ]
    assert different == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_plain_words_stand_in_a_template(template: Path) -> None:
    left = MARKUP.sub(" ", LOGIC.sub("", template.read_text()))
    assert [word for word in WORDS.findall(left) if word not in NAMES] == []


def _ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, (list, tuple)) else (message.id,)


def _forms(message: Message) -> tuple[str, ...]:
    words = message.string
    return tuple(words) if isinstance(words, (list, tuple)) else (words or "",)
