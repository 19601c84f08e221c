"""Recognising reports that a mail could not be delivered. A person's mail must never be taken for one."""

import re
from typing import Final

from core.mail.parsing.headers import MailMessage, addresses, has_any, text_of
from core.mail.parsing.words import raw_text

SYSTEM_SENDER: Final = re.compile(
    r"^(mailer-?daemon|mail-?daemon|postmaster|mdaemon|bounces?|noreply-?bounces?|mail\.?delivery.*)@", re.IGNORECASE
)
SYSTEM_NAME: Final = re.compile(
    r"mail delivery (sub)?system|mail administrator|mailer.?daemon|postmaster|internet mail delivery", re.IGNORECASE
)
FAILURE_SUBJECT: Final = re.compile(
    r"undeliver|delivery (status|failure|report|has failed|problem|notification|delayed|incomplete)|delivery.{0,20}fail"
    r"|returned (mail|to sender)|failure notice|mail (system error|delivery|could not be)|could not be delivered"
    r"|not delivered|non.?remis|nicht zugestellt|unzustellbar|warning: (could not|message)|message (delayed|undeliv)"
    r"|rejected|error sending|failed mail|mail failure|nondeliverable|nedoru|niedostarcz|zwrot|配信|エラー|失败|退信",
    re.IGNORECASE,
)
FAILURE_HEADERS: Final = ("X-Failed-Recipients", "X-Bounce-Reason", "X-MS-Exchange-Message-Is-Ndr", "X-Mailer-Daemon")


def is_bounce(message: MailMessage) -> bool:
    """Whether the mail reports a failed or delayed delivery (RFC 3464, and the forms before it)."""
    if _is_delivery_report(message):
        return True
    if has_any(message, FAILURE_HEADERS):
        return True
    sender = addresses(message, "From", set())
    from_system = any(SYSTEM_SENDER.match(one.address) or SYSTEM_NAME.search(one.name) for one in sender)
    return_path = raw_text(text_of(message, "Return-Path")).strip()
    failure = bool(FAILURE_SUBJECT.search(text_of(message, "Subject")))
    return (from_system and failure) or (return_path == "<>" and failure)


def _is_delivery_report(message: MailMessage) -> bool:
    report = str(message.get_param("report-type", "", unquote=True) or "").lower()
    if message.get_content_type() == "multipart/report":
        return report in {"delivery-status", "", "undefined"}
    return False
