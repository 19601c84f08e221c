"""Address books: a small one for the team's phones, and one of everybody for the app."""

from typing import Final

from sqlalchemy import select

from core.directory.books.entries import put_database_in_book, put_in_book
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.models import Contact
from core.foundation.unit_of_work import unit_of_work
from deploy.local.demo.companies import Scene

CLOSE: Final = 40


def create_books(scene: Scene) -> None:
    """Create both, seen by everyone of the company."""
    tenant, database = scene.tenant, scene.tenant.databases["Customers"]
    with unit_of_work(tenant.actor(tenant.owner)) as work:
        close = BookDraft(
            name="Close collaborators",
            database_id=database,
            everyone_sees=True,
            sync_policy=SyncPolicy.PHONE_BOOK,
        )
        newest = select(Contact.id).where(Contact.database_id == database).order_by(Contact.id.desc()).limit(CLOSE)
        put_in_book(work, create_book(work, close), list(work.session.scalars(newest)))
        everybody = BookDraft(name="Everybody", database_id=database, everyone_sees=True)
        put_database_in_book(work, create_book(work, everybody), database)
