"""Whoever ticks a permission knows what it gives: each has its place, its name and its sentence in every language."""

from collections import Counter

import pytest

from core.foundation.i18n import LOCALES, catalogue_of, translate
from core.foundation.permissions import CATALOGUE, Kind, Permission, explained

ENTRIES = [entry for module in CATALOGUE for entry in module.permissions]
TRANSLATED = [locale for locale in LOCALES if locale != "en"]


@pytest.mark.covers("TC-5")
def test_every_permission_stands_in_the_catalogue_once() -> None:
    assert Counter(entry.permission for entry in ENTRIES) == Counter(Permission)


@pytest.mark.parametrize("locale", LOCALES)
def test_names_tell_permissions_and_modules_apart(locale: str) -> None:
    names = [translate(entry.name, locale) for entry in ENTRIES]
    assert len(set(names)) == len(Permission)
    assert len({translate(module.name, locale) for module in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_is_explained_in_a_sentence(permission: Permission) -> None:
    entry = explained(permission)
    assert entry.explanation.msgid.endswith(".")
    assert len(entry.explanation.msgid.split()) > 4
    assert not entry.name.msgid.endswith(".")


@pytest.mark.parametrize("locale", TRANSLATED)
@pytest.mark.parametrize("permission", Permission)
def test_a_permission_is_explained_in_every_language(permission: Permission, locale: str) -> None:
    words = catalogue_of(locale)
    for message in (explained(permission).name, explained(permission).explanation):
        assert words.gettext(message.msgid) not in {"", message.msgid}


def test_access_comes_before_rights_in_every_module() -> None:
    for module in CATALOGUE:
        kinds = [entry.kind for entry in module.permissions]
        assert kinds == sorted(kinds, key=list(Kind).index)
