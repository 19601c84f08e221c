"""Which mails of a conversation are open in which form; it stands in the address, so it works without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass

from tenant_app.typed import as_id


@dataclass(frozen=True, slots=True)
class Opened:
    """The mail that is shown with its own formatting, and whether its remote pictures may load. None for no mail."""

    activity_id: int | None
    with_images: bool

    @classmethod
    def from_url(cls, arguments: Mapping[str, str]) -> "Opened":
        """``?formatted=<activity id>&images=1``."""
        return cls(as_id(arguments.get("formatted")), arguments.get("images") == "1")
