"""The language of a request, and translated messages of core."""

from datetime import datetime
from functools import lru_cache
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask, g, request
from flask_babel import Babel

from core.foundation.i18n import CATALOGUES, LOCALES, Message, catalogue_of, translate
from tenant_app.security import viewer

LANGUAGE_NAMES = {"en": "English", "cs": "Čeština", "pl": "Polski"}


def install(app: Flask) -> None:
    """Take over from the framework's own language handling, which knows no Czech and reads its own catalogues."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app, locale_selector=_current_locale, timezone_selector=_current_time_zone)
    # A list asks for hundreds of words: the library's way of finding the catalogue each time was half of a page's time.
    app.jinja_env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    app.jinja_env.filters |= {"full_time": _full_time, "local_date": _local_date}


def current_language() -> str:
    """The viewer's language; before sign-in the browser's, else the tenant's."""
    person = viewer() if "tenant" in g else None
    if person is not None:
        return person.locale
    accepted = request.accept_languages.best_match(LOCALES)
    return accepted or (g.tenant.locale if "tenant" in g else "en")


def _gettext(text: str) -> str:
    return _words().gettext(text)


def _ngettext(one: str, many: str, number: int) -> str:
    return _words().ngettext(one, many, number)


def _words() -> NullTranslations:
    """The catalogue of this request's language, looked up once."""
    if "words" not in g:
        g.words = catalogue_of(current_language())
    words: NullTranslations = g.words
    return words


def _full_time(at: datetime) -> str:
    return _formatted(at, _current_locale(), _current_time_zone())[0]


def _local_date(at: datetime) -> str:
    return _formatted(at, _current_locale(), _current_time_zone())[1]


@lru_cache(maxsize=4096)
def _formatted(at: datetime, locale: str, time_zone: str) -> tuple[str, str]:
    """The whole time and the day alone; kept, since a list that refreshes itself asks for the same times again."""
    local = at.astimezone(ZoneInfo(time_zone))
    return format_datetime(local, "full", locale=locale), format_date(local, "medium", locale=locale)


def _current_locale() -> str:
    """How dates and numbers are written: plain English as in Europe, with the day first."""
    language = current_language()
    return "en_GB" if language == "en" else language


def _current_time_zone() -> str:
    return g.tenant.time_zone if "tenant" in g else "UTC"


def say(message: Message | str) -> str:
    """A message of core in the request's language."""
    return translate(message, current_language())
