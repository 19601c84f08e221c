"""Reading INVITEs as the edge hands them over, who calls whom in which company; and writing who calls. Pure."""

import re
from typing import Final
from urllib.parse import unquote

from core.calls.plans import Leg
from telephony_gateway.signals import Invite

LONGEST: Final = 255
HEADER: Final = re.compile(
    r"^(x-tenant|x-device|x-trunk|from|call-id|via|v|f|i)[ \t]*:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE
)
SHORT_NAMES: Final = {"v": "via", "f": "from", "i": "call-id"}
REQUEST: Final = re.compile(r"INVITE sips?:([^@> ]+)@\S+ SIP/2\.0")
ADDRESS: Final = re.compile(r"sips?:([^@;>]+)@")
SENT_BY: Final = re.compile(r"SIP\s*/\s*2\.0\s*/\s*TCP\s+127\.0\.0\.1:([0-9]+)\b", re.IGNORECASE)
NOT_SHOWN: Final = re.compile(r'[\x00-\x1f\x7f"\\]')
IDS: Final = re.compile(r"[0-9]{1,18}")


def read_invite(message: str, *, edge_port: int) -> Invite | None:
    """Who calls whom, by an INVITE's text.

    None unless it came by the edge's inner door and names a tenant and either a device or a trunk.
    """
    head = message.partition("\r\n\r\n")[0]
    headers: dict[str, str] = {}
    for name, value in HEADER.findall(head):
        headers.setdefault(SHORT_NAMES.get(name.lower(), name.lower()), value.strip())
    request, sent_by = REQUEST.match(head), SENT_BY.match(headers.get("via", ""))
    tenant_id, device_id, trunk_id = (_id_of(headers.get(f"x-{name}")) for name in ("tenant", "device", "trunk"))
    if request is None or sent_by is None or int(sent_by[1]) != edge_port:
        return None
    if tenant_id is None or (device_id is None) == (trunk_id is None):
        return None
    caller = ADDRESS.search(headers.get("from", ""))
    return Invite(
        tenant_id=tenant_id,
        device_id=device_id,
        trunk_id=trunk_id,
        dialled=_plain(unquote(request[1].partition(";")[0])),
        caller=_plain(unquote(caller[1])) if caller else "",
        sip_call_id=_plain(headers.get("call-id", "")),
    )


def caller_address(leg: Leg, domain: str) -> str:
    """The caller's address as the leg is shown it (RFC 3323, 4.1.1.3 for those who hide theirs)."""
    if not leg.caller:
        return '"Anonymous" <sip:anonymous@anonymous.invalid>'
    name = NOT_SHOWN.sub("", leg.caller_name)
    return f'"{name}" <sip:{leg.caller}@{domain}>' if name else f"<sip:{leg.caller}@{domain}>"


def _id_of(value: str | None) -> int | None:
    return int(value) if value is not None and IDS.fullmatch(value) else None


def _plain(text: str) -> str:
    """Text that a database can hold, whatever bytes a phone sent."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in text)[:LONGEST]
