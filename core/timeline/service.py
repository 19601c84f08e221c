"""Writing activities down."""

from dataclasses import dataclass
from datetime import datetime

from core.foundation.blobs import BlobId, store_blob
from core.foundation.unit_of_work import Work
from core.timeline.models import Activity, Attachment

SUMMARY_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDraft:
    """An activity to write down. ``kind`` and ``direction`` are those of the table.

    ``user_id`` is whose it is, where another than the actor writes it down.
    """

    kind: str
    direction: str
    summary: str
    occurred_at: datetime
    ticket_id: int | None = None
    contact_id: int | None = None
    company_id: int | None = None
    queue_id: int | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDraft:
    """A file that belongs to an activity."""

    name: str
    media_type: str
    content: bytes
    content_id: str | None = None
    is_inline: bool = False


def record_activity(work: Work, draft: ActivityDraft) -> int:
    """Write the activity down; the feature that calls has checked the permission and tells of it."""
    activity = Activity(
        kind=draft.kind,
        direction=draft.direction,
        summary=" ".join(draft.summary.split())[:SUMMARY_CHARACTERS],
        occurred_at=draft.occurred_at,
        ticket_id=draft.ticket_id,
        contact_id=draft.contact_id,
        company_id=draft.company_id,
        queue_id=draft.queue_id,
        user_id=draft.user_id or work.actor.user_id,
    )
    work.session.add(activity)
    work.session.flush()
    return activity.id


def attach(work: Work, activity_id: int, file: FileDraft) -> int:
    """Store the file encrypted and tie it to the activity."""
    return attach_stored(work, activity_id, file, store_blob(work, file.content))


def attach_stored(work: Work, activity_id: int, file: FileDraft, blob_id: BlobId) -> int:
    """Tie a file to the activity whose bytes are stored: many files are written before any row is locked."""
    attachment = Attachment(
        activity_id=activity_id,
        blob_id=blob_id,
        name=file.name,
        media_type=file.media_type,
        size_bytes=len(file.content),
        content_id=file.content_id,
        is_inline=file.is_inline,
    )
    work.session.add(attachment)
    work.session.flush()
    return attachment.id
