"""Taking large base64 bodies aside before the standard library walks line by line over them.

A placeholder with a random name stands for the body meanwhile; whoever reads a part's content puts it back.
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Final

MARK: Final = "lifted-"
WORTH_IT_BYTES: Final = 1_000_000
BODY: Final = re.compile(rb"(?:(?<=\n\r\n)|(?<=\n\n))(?:[A-Za-z0-9+/]{40,100}+\r?\n){2000,}+")


@dataclass(slots=True)
class Lifted:
    """The bodies that were taken aside, by the placeholder that stands in their place."""

    bodies: dict[str, bytes] = field(default_factory=dict)

    def stands_in(self, content: str) -> bool:
        """Whether a placeholder of ours stands in the parser's text."""
        return MARK in content and any(placeholder in content for placeholder in self.bodies)

    def back_in(self, content: bytes) -> bytes:
        """``content`` with its bodies in their places."""
        if MARK.encode() in content:
            for placeholder, body in self.bodies.items():
                content = content.replace(placeholder.encode(), body)
        return content

    def back_in_text(self, content: str) -> str:
        """The same for the parser's text."""
        for placeholder, body in self.bodies.items():
            if placeholder in content:
                content = content.replace(placeholder, body.decode("ascii"))
        return content


def lift_large_bodies(raw: bytes) -> tuple[bytes, Lifted]:
    """``raw`` with placeholders for its large bodies, and those."""
    lifted = Lifted()
    if len(raw) < WORTH_IT_BYTES:
        return raw, lifted
    pieces: list[bytes] = []
    position = 0
    for body in BODY.finditer(raw):
        placeholder = f"{MARK}{secrets.token_hex(16)}"
        lifted.bodies[placeholder] = body[0]
        pieces += [raw[position : body.start()], placeholder.encode(), b"\r\n"]
        position = body.end()
    return b"".join([*pieces, raw[position:]]), lifted
