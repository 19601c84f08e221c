"""Recognising reports that a mail could not be delivered. A person's mail must never be taken for one."""

import re
from collections.abc import Sequence
from email.message import Message
from typing import Final

from core.mail.parsing.headers import MailMessage, addresses, has_any, text_of
from core.mail.parsing.words import raw_text

LOOKED_AT: Final = 4_000
SEARCHED_FOR_IDS: Final = 200_000
MAX_IDS: Final = 20

DAEMON: Final = re.compile(r"^(mailer[-_]?daemon|mail-?daemon|mdaemon)(@|$)", re.IGNORECASE)
SYSTEM_SENDER: Final = re.compile(r"^(post-?_?master|bounces?|noreply-?bounces?|mail\.?delivery.*)@", re.IGNORECASE)
SYSTEM_NAME: Final = re.compile(
    r"mail deliver(y|) ?(sub)?system|mail administrator|mailer.?daemon|^postmaster$|internet mail delivery"
    r"|^system administrator$",
    re.IGNORECASE,
)
FAILURE_SUBJECT: Final = re.compile(
    r"undeliver|delivery (status|failure|report|has failed|problem|notification|delayed|incomplete)|delivery.{0,20}fail"
    r"|returned (mail|to sender)|failure (notice|delivery)|mail (system error|delivery|could not be|failed)"
    r"|could not (be delivered|send (mail|message))|delayed mail|failed delivery"
    r"|not delivered|non.?remis|nicht zugestellt|unzustellbar|warning: (could not|message)|message (delayed|undeliv)"
    r"|rejected|error sending|failed mail|mail failure|nondeliverable|nedoru|niedostarcz|zwrot|配信|エラー|失败|退信",
    re.IGNORECASE,
)
FAILURE_TEXT: Final = re.compile(
    r"did not reach the following recipient|could not be delivered|unable to deliver|undeliverable"
    r"|delivery (has )?failed"
    r"|permanent (fatal )?error|had delivery problems|delivery to the following|not be delivered|user unknown"
    r"|unknown (user|recipient|host)|no such user|mailbox (is )?(full|unavailable|not found)|transcript of session"
    r"|was not delivered|invalid (user )?address|failed recipient",
    re.IGNORECASE,
)
ANSWER_SUBJECT: Final = re.compile(
    r"^\s*(re|aw|sv|odp|vs|fw|fwd|wg|tr|pd|automatic reply|auto)\s*(\[\d+\])?\s*:", re.IGNORECASE
)
FAILURE_HEADERS: Final = ("X-Failed-Recipients", "X-Bounce-Reason", "X-MS-Exchange-Message-Is-Ndr", "X-Mailer-Daemon")
ACTION: Final = re.compile(r"^action\s*:\s*(\w+)", re.IGNORECASE | re.MULTILINE)
GOOD_NEWS: Final = frozenset({"delivered", "deliverable", "relayed", "expanded"})
REPORTED_ID: Final = re.compile(r"^[\s>|]*message-id\s*:\s*<([^<>\s]{1,500})>", re.IGNORECASE | re.MULTILINE)


def is_bounce(message: MailMessage, text: str) -> bool:
    """Whether the mail reports a failed or delayed delivery (RFC 3464, and the forms before it).

    ``text`` is what it says to people; without the form of RFC 3464 both the sender and the words must be a machine's.
    """
    if _is_delivery_report(message):
        return not _only_good_news(message)
    if has_any(message, FAILURE_HEADERS):
        return True
    subject = text_of(message, "Subject")
    sender = addresses(message, "From", set())
    says_failure = bool(FAILURE_SUBJECT.search(subject) or FAILURE_TEXT.search(text[:LOOKED_AT]))
    if any(DAEMON.match(one.address or one.name) for one in sender):
        return says_failure
    if ANSWER_SUBJECT.match(subject):
        return False
    is_system = any(SYSTEM_SENDER.match(one.address) or SYSTEM_NAME.search(one.name) for one in sender)
    has_no_sender = not sender or "<>" in {raw_text(text_of(message, name)).strip() for name in ("From", "Return-Path")}
    if is_system and has_no_sender:
        return says_failure
    return (is_system or has_no_sender) and bool(FAILURE_SUBJECT.search(subject))


def reported_ids(message: MailMessage, texts: Sequence[str]) -> tuple[str, ...]:
    """The Message-IDs in a report's enclosed mail or in what it quotes of it, in order, each once."""
    found: dict[str, None] = {}
    for part in _parts(message, depth=0):
        payload = part.get_payload()
        if part.get_content_maintype() in {"message", "text"} and isinstance(payload, str):
            found.update(dict.fromkeys(REPORTED_ID.findall(raw_text(payload[:SEARCHED_FOR_IDS]))))
        if part is not message and part.get("Message-ID"):
            found.update(dict.fromkeys(REPORTED_ID.findall(f"Message-ID: {text_of(part, 'Message-ID')}")))
    for text in texts:
        found.update(dict.fromkeys(REPORTED_ID.findall(text[:SEARCHED_FOR_IDS])))
    return tuple(found)[:MAX_IDS]


def _is_delivery_report(message: MailMessage) -> bool:
    report = str(message.get_param("report-type", "", unquote=True) or "").lower()
    return message.get_content_type() == "multipart/report" and report in {"delivery-status", "", "undefined"}


def _only_good_news(message: MailMessage) -> bool:
    """Whether every recipient of the report got the mail (RFC 3464, 2.3.3)."""
    actions: set[str] = set()
    for part in _parts(message, depth=0):
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            lines = "\n".join(str(block) for block in blocks) if isinstance(blocks, list) else str(blocks)
            actions.update(action.lower() for action in ACTION.findall(lines[:LOOKED_AT]))
    return bool(actions) and actions <= GOOD_NEWS


def _parts(message: MailMessage, *, depth: int) -> list[MailMessage]:
    """The parts of a report, a few levels deep."""
    payload = message.get_payload()
    children = [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []
    return [message, *(part for child in children[:20] if depth < 4 for part in _parts(child, depth=depth + 1))]
