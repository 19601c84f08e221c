"""The sections of the settings: one table, from which come the page of settings, its navigation and its search.

A section is a page that exists. Whoever may not open it finds it nowhere (D-FAQ-22). See ``docs/recipes.md``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission
from tenant_app.languages import say
from tenant_app.security import viewer

PATH: Final = "/settings/"
SHORTEST_STEM: Final = 4
ENDING: Final = 2
"""Inflected words differ at their ends: ``svátků`` finds ``svátky``."""

May = Callable[[Permission], bool]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a section, found by its name and ``keywords``; ``place`` is added to the section's address."""

    name: Message
    place: str = ""
    keywords: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of the settings.

    ``keywords`` are further words, divided by spaces, by which people look for it. ``settings`` are what can be set
    there, each found by itself.
    """

    path: str
    group: str
    name: Message
    about: Message
    keywords: Message
    icon: str
    permission: Permission
    settings: Sequence[Setting] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Sections that belong together."""

    name: Message
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Found:
    """A section, or one setting of it, that fits what was looked for."""

    section: Section
    name: Message
    url: str
    is_setting: bool


GROUPS: Final = {
    "company": _("Company"),
    "people": _("People"),
    "security": _("Security"),
    "telephony": _("Telephony"),
    "contacts": _("Contacts"),
}
"""In the order of the page."""

SECTIONS: Final = (
    Section(
        path="/people/",
        group="people",
        name=_("Users"),
        about=_("Who works here, what they may do, and who is invited, active or blocked."),
        keywords=_("user account employee colleague agent back office call centre block delete rights"),
        icon="users",
        permission=Permission.PEOPLE_READ,
        settings=(
            Setting(_("New user"), "new", _("add create invite employee colleague account")),
            Setting(_("Invite several people"), "invite", _("import CSV table employees bulk")),
        ),
    ),
    Section(
        path="/settings/company/",
        group="company",
        name=_("Company"),
        about=_("What the company is called, its logo and colour, language, time zone and country."),
        keywords=_("firm business brand appearance localization"),
        icon="building-2",
        permission=Permission.SETTINGS_MANAGE,
        settings=(
            Setting(_("Logo"), "#logo", _("picture image brand")),
            Setting(_("Brand colour"), "#accent", _("color accent appearance buttons")),
            Setting(_("Language of new users"), "#locale", _("default locale translation")),
            Setting(_("Time zone"), "#time_zone", _("clock dates hours")),
            Setting(_("Country"), "#country", _("phone prefix dialling code region")),
        ),
    ),
    Section(
        path="/settings/company/hours",
        group="company",
        name=_("Business hours"),
        about=_("When the company is open on each weekday, in as many spans as it needs."),
        keywords=_("opening hours working time weekdays lunch break schedule"),
        icon="clock",
        permission=Permission.SETTINGS_MANAGE,
    ),
    Section(
        path="/settings/company/holidays",
        group="company",
        name=_("Public holidays"),
        about=_("The country's holidays of the coming year, days of your own, and holidays on which you work."),
        keywords=_("bank holiday calendar closed days off vacation Christmas Easter"),
        icon="calendar-days",
        permission=Permission.SETTINGS_MANAGE,
        settings=(Setting(_("Add a day"), "#day", _("own company holiday closed")),),
    ),
    Section(
        path="/settings/permission-groups/",
        group="people",
        name=_("Permission groups"),
        about=_("What people may do; everybody is in exactly one group."),
        keywords=_("rights role access permission allow administrator owner compare"),
        icon="shield-check",
        permission=Permission.PEOPLE_MANAGE,
        settings=(Setting(_("Compare permission groups"), "compare", _("difference side by side")),),
    ),
    Section(
        path="/settings/user-groups/",
        group="people",
        name=_("User groups"),
        about=_("Teams, branches and projects as a tree; what is granted to a group is seen by its people."),
        keywords=_("team branch department project position tree subgroup members visibility"),
        icon="users-round",
        permission=Permission.PEOPLE_MANAGE,
        settings=(Setting(_("New user group"), "new", _("add team subgroup")),),
    ),
    Section(
        path="/settings/visibility/",
        group="people",
        name=_("Who sees what"),
        about=_("Which user groups see which databases, queues, ticket categories and address books."),
        keywords=_("visibility access grant rows database queue category hide share"),
        icon="eye",
        permission=Permission.PEOPLE_MANAGE,
        settings=(
            Setting(_("Databases"), "databases/"),
            Setting(_("Queues"), "queues/"),
            Setting(_("Ticket categories"), "categories/"),
        ),
    ),
    Section(
        path="/lines/",
        group="telephony",
        name=_("Lines"),
        about=_("Which number dials whom, and which devices ring then."),
        keywords=_("phone telephone extension device softphone SIP ring"),
        icon="phone",
        permission=Permission.LINES_MANAGE,
        settings=(
            Setting(_("New line"), "new", _("add extension phone number")),
            Setting(_("Callers see"), "", _("caller id number shown outgoing CLIP")),
            Setting(_("Devices"), "", _("softphone desk phone password SIP registration")),
        ),
    ),
    Section(
        path="/lines/trunks",
        group="telephony",
        name=_("Trunks and numbers"),
        about=_("The way to the telephone network, and which line each number of the company rings."),
        keywords=_("provider operator SIP server gateway DID inbound outbound"),
        icon="globe",
        permission=Permission.LINES_MANAGE,
        settings=(
            Setting(_("New trunk"), "/new", _("add provider SIP server")),
            Setting(_("Numbers of the company"), "", _("DID inbound routing phone number")),
        ),
    ),
    Section(
        path="/books/",
        group="contacts",
        name=_("Address books"),
        about=_("Which contacts stand on colleagues' phones, and who gets which book."),
        keywords=_("CardDAV synchronization phone book"),
        icon="book-user",
        permission=Permission.BOOKS_MANAGE,
        settings=(
            Setting(_("New address book"), "new", _("add create phone book")),
            Setting(_("Who gets a book"), "", _("audience user groups visibility")),
        ),
    ),
    Section(
        path="/synced/all",
        group="contacts",
        name=_("Everybody's phones and programs"),
        about=_("Every phone and program that holds contacts, with its last visit; a lost one is revoked here."),
        keywords=_("CardDAV client device lost phone revoke wipe synchronization"),
        icon="smartphone",
        permission=Permission.PEOPLE_MANAGE,
    ),
    Section(
        path="/settings/second-factor/",
        group="security",
        name=_("Second factor"),
        about=_("Whether everybody is asked for more than a password at sign-in, and who is not ready for it."),
        keywords=_("two factor 2FA MFA TOTP authenticator app code passkey sign-in login password required"),
        icon="key-round",
        permission=Permission.SETTINGS_MANAGE,
    ),
    Section(
        path="/settings/sign-in/",
        group="security",
        name=_("Sign-in with other accounts"),
        about=_("Lets people sign in with their Google or Microsoft account, or with your own provider."),
        keywords=_("OpenID Connect OIDC SSO single sign-on Google Microsoft Entra Azure Keycloak Okta login"),
        icon="log-in",
        permission=Permission.SETTINGS_MANAGE,
    ),
    Section(
        path="/settings/audit/",
        group="security",
        name=_("Audit log"),
        about=_("Who changed what and when, before and after; searched, filtered and exported."),
        keywords=_("history changes activity journal trail who when CSV download"),
        icon="scroll-text",
        permission=Permission.AUDIT_READ,
    ),
)


def visible_groups(may: May | None = None) -> list[Group]:
    """The sections that the viewer may open, in their groups; no empty group."""
    seen = visible_sections(may)
    grouped = ((name, [section for section in seen if section.group == key]) for key, name in GROUPS.items())
    return [Group(name, sections) for name, sections in grouped if sections]


def visible_sections(may: May | None = None) -> list[Section]:
    """The sections that the viewer, or whoever ``may`` speaks of, may open."""
    allowed = may or _viewer_may
    return [section for section in SECTIONS if allowed(section.permission)]


def section_of(path: str, sections: Sequence[Section] = SECTIONS) -> Section | None:
    """The section that the page at ``path`` belongs to: the one whose address is the longest beginning of it."""
    fitting = [section for section in sections if path == section.path or path.startswith(section.path)]
    return max(fitting, key=lambda section: len(section.path), default=None)


def find_sections(text: str, may: May | None = None, speak: Callable[[Message], str] = say) -> list[Found]:
    """What the viewer may open and what contains every word of ``text`` in their language, best first.

    Accents and capitals do not matter, nor the last letters of a long word. A section fits by its name, explanation
    and keywords; a setting by its own words, together with those of its section.
    """
    wanted = _words(text)
    if not wanted:
        return []
    ranked = [
        (rank, place, found)
        for place, section in enumerate(visible_sections(may))
        for rank, found in _found_in(section, wanted, speak)
    ]
    return [found for _rank, _place, found in sorted(ranked, key=lambda hit: hit[:2])]


def for_templates() -> dict[str, Any]:
    """What the settings' frame asks for; called only where it is drawn."""
    return {"settings_groups": visible_groups, "settings_section": section_of}


def _found_in(section: Section, wanted: Sequence[str], speak: Callable[[Message], str]) -> Iterator[tuple[int, Found]]:
    name, about = _words(speak(section.name)), _words(f"{speak(section.about)} {speak(section.keywords)}")
    if _all_among(wanted, name):
        yield 0, Found(section, section.name, section.path, is_setting=False)
    elif _all_among(wanted, name + about):
        yield 2, Found(section, section.name, section.path, is_setting=False)
    for setting in section.settings:
        own = _words(f"{speak(setting.name)} {speak(setting.keywords) if setting.keywords else ''}")
        is_meant = any(_is_among(word, own) for word in wanted)
        if is_meant and _all_among(wanted, own + name + about):
            yield 1, Found(section, setting.name, section.path + setting.place, is_setting=True)


def _all_among(wanted: Sequence[str], words: Sequence[str]) -> bool:
    return all(_is_among(word, words) for word in wanted)


def _is_among(wanted: str, words: Sequence[str]) -> bool:
    stem = wanted[: max(SHORTEST_STEM, len(wanted) - ENDING)]
    return any(
        word.startswith(wanted) or (word.startswith(stem) and len(word) <= len(wanted) + ENDING) for word in words
    )


def _words(text: str) -> list[str]:
    """The words of ``text`` in lower case, without accents."""
    plain = text.casefold().replace("ł", "l")  # which Unicode does not take apart
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return re.findall(r"\w+", bare)


def _viewer_may(permission: Permission) -> bool:
    person = viewer()
    return person is not None and person.may(permission)
