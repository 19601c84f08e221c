"""What a company sets for itself: its name, language, time zone, country, colour and logo."""

import hashlib
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from zoneinfo import available_timezones

import phonenumbers
from PIL import Image, UnidentifiedImageError
from sqlalchemy import delete, select, text

from core.foundation.blobs import BlobId, read_blob, store_blob
from core.foundation.colours import is_seen
from core.foundation.errors import Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import LOCALES, Message, _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tenants.models import CompanyLogo, Tenant
from core.tenants.service import PROFILE, TenantProfile, tenant_profile

KIND: Final = "company_settings"
LONGEST_NAME: Final = 80
COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
REGIONS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "UTC"}
)
TIME_ZONES: Final = tuple(sorted(zone for zone in available_timezones() if zone.partition("/")[0] in REGIONS))
MOST_LOGO_BYTES: Final = 5 * 2**20
MOST_PIXELS: Final = 25_000_000
LOGO_HEIGHT: Final = 128
LOGO_WIDTH: Final = 512
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")

_SET: Final = text("select app_set_company(:name, :locale, :country, :time_zone, :accent, :logo)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDraft:
    """What is to hold. ``accent`` is ``#rrggbb`` or None for the product's own; ``country`` ISO 3166-1 alpha-2."""

    name: str
    locale: str
    country: str
    time_zone: str
    accent: str | None = None


def change_company_settings(work: Work, draft: CompanyDraft) -> None:
    """Store them; raises ``Forbidden``, ``Invalid``. Other processes show them within half a minute."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    cleaned = _checked(draft)
    before = _told(tenant_profile(work))
    _store(work, cleaned, logo=tenant_profile(work).logo)
    record_change(work, KIND, work.actor.tenant_id, before=before, after=_told(cleaned))


def set_logo(work: Work, data: bytes) -> None:
    """Store the picture, written anew as a PNG of at most 512 × 128; raises ``Forbidden``, ``Invalid`` (ATTACK 43)."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    picture = _redrawn(data)
    had_one = tenant_profile(work).logo is not None
    work.session.execute(delete(CompanyLogo))
    work.session.add(CompanyLogo(blob_id=store_blob(work, picture)))
    work.session.flush()
    _store(work, _as_draft(work), logo=hashlib.sha256(picture).hexdigest()[:16])
    before = {"logo": "old" if had_one else None}
    record_change(work, KIND, work.actor.tenant_id, before=before, after={"logo": "new"})


def remove_logo(work: Work) -> None:
    """Show the product's own mark again; raises ``Forbidden``."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    if tenant_profile(work).logo is None:
        return
    work.session.execute(delete(CompanyLogo))
    _store(work, _as_draft(work), logo=None)
    record_change(work, KIND, work.actor.tenant_id, before={"logo": "old"}, after={"logo": None})


def logo(work: Work) -> bytes:
    """The logo as a PNG, for everybody who sees the sign-in page; raises ``NotFound``."""
    blob_id = work.session.scalars(select(CompanyLogo.blob_id)).one_or_none()
    if blob_id is None:
        raise NotFound
    return read_blob(work, BlobId(blob_id))


def _as_draft(work: Work) -> CompanyDraft:
    now = tenant_profile(work)
    return CompanyDraft(
        name=now.name, locale=now.locale, country=now.country, time_zone=now.time_zone, accent=now.accent
    )


def _told(values: TenantProfile | CompanyDraft) -> Mapping[str, str | None]:
    return {name: getattr(values, name) for name in ("name", "locale", "country", "time_zone", "accent")}


def _store(work: Work, draft: CompanyDraft, *, logo: str | None) -> None:
    work.session.execute(_SET, {**asdict(draft), "logo": logo})
    work.session.info.pop(PROFILE, None)
    work.session.expire_all()
    known = work.session.get(Tenant, work.actor.tenant_id)
    if known is not None:
        work.session.refresh(known)
    tell(work, "refresh")


def _checked(draft: CompanyDraft) -> CompanyDraft:
    problems: dict[str, Message] = {}
    name = " ".join(draft.name.replace("\0", " ").split())
    if not name:
        problems["name"] = _("Enter the company's name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("At most %(count)d characters.", count=LONGEST_NAME)
    if draft.locale not in LOCALES:
        problems["locale"] = _("There is no such language.")
    if draft.country not in COUNTRIES:
        problems["country"] = _("Choose a country.")
    if draft.time_zone not in TIME_ZONES:
        problems["time_zone"] = _("Choose a time zone.")
    accent = (draft.accent or "").strip().lower() or None
    if accent is not None and re.fullmatch("#[0-9a-f]{6}", accent) is None:
        problems["accent"] = _("A colour is written like #3050c8.")
    elif accent is not None and not is_seen(accent):
        problems["accent"] = _("Buttons of this colour cannot be told from the page. Choose a darker or lighter one.")
    if problems:
        raise Invalid(problems)
    return CompanyDraft(name=name, locale=draft.locale, country=draft.country, time_zone=draft.time_zone, accent=accent)


def _redrawn(data: bytes) -> bytes:
    """The picture drawn anew: whatever else the file held is gone, and its type is what its bytes are."""
    if len(data) > MOST_LOGO_BYTES:
        raise Invalid({"logo": _("The picture is larger than 5 MB. Choose a smaller one.")})
    unreadable = Invalid({"logo": _("This is no picture that can be read. PNG, JPEG, WebP and GIF can.")})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Invalid({"logo": _("The picture has too many pixels. Choose a smaller one.")})
                drawn = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise unreadable from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid({"logo": _("The picture has too many pixels. Choose a smaller one.")}) from error
    drawn.thumbnail((LOGO_WIDTH, LOGO_HEIGHT))
    written = io.BytesIO()
    drawn.save(written, "PNG", optimize=True)
    return written.getvalue()
