"""Facts about the directory."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ContactSaved:
    """A contact was created or changed."""

    name: ClassVar[str] = "directory.contact_saved"
    contact_id: int


@dataclass(frozen=True, slots=True)
class CompanySaved:
    """A company was created or changed."""

    name: ClassVar[str] = "directory.company_saved"
    company_id: int
