"""``/books/…``: the list, a book with its contacts, its form; and a contact's check boxes on its own page."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import ngettext

from core.directory.books.clients import holders_of_contact
from core.directory.books.entries import put_database_in_book, put_in_book, withdraw_from_book
from core.directory.books.queries import (
    BookDetail,
    book_detail,
    books,
    books_of_contact,
    user_group_choices,
)
from core.directory.books.service import SyncPolicy, change_book, create_book, delete_book
from core.directory.phones import shown_phone
from core.directory.queries import contact_choices, contact_detail, database_choices
from core.foundation.errors import Invalid, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.visibility.consequences import consequences_of
from tenant_app.books.forms import Typed, as_draft, stored_values, typed_values
from tenant_app.consequences import digest_of, sentences
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id, as_needle


class Books(BaseView):
    """Address books and their contacts."""

    route_base = "/books"

    @expose("/")
    @requires(Permission.CONTACTS_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every book that the viewer sees."""
        return render_template("books/list.html", books=books(work), policies=_policies())

    @expose("/new")
    @requires(Permission.BOOKS_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form."""
        return _form(work, typed_values(request.args), status=200)

    @expose("/new", methods=["POST"])
    @requires(Permission.BOOKS_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store a new book, and go on to its contacts."""
        values = typed_values(request.form)
        try:
            book_id = create_book(work, as_draft(values))
        except Invalid as error:
            return _form(work, values, status=422, error=error)
        flash(_("Address book created."), "success")
        return redirect(f"/books/{book_id}", 303)

    @expose("/<int:book_id>")
    @requires(Permission.CONTACTS_READ)
    def show(self, work: Work, book_id: int) -> ResponseReturnValue:
        """A book and its contacts, page by page; ``withdraw`` in the address asks about one of them."""
        text = as_needle(request.args.get("q"))
        book = book_detail(work, book_id, search=text, after=as_id(request.args.get("after")))
        return render_template(
            "books/detail.html",
            book=book,
            row=next(row for row in books(work) if row.id == book_id),
            text=text,
            leaving=_leaving(work, book, as_id(request.args.get("withdraw"))),
            policies=_policies(),
            show_phone=_show_phone,
        )

    @expose("/<int:book_id>/edit")
    @requires(Permission.BOOKS_MANAGE)
    def edit(self, work: Work, book_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        book = book_detail(work, book_id)
        return _form(work, stored_values(book), status=200, book=book)

    @expose("/<int:book_id>/edit", methods=["POST"])
    @requires(Permission.BOOKS_MANAGE)
    def change(self, work: Work, book_id: int) -> ResponseReturnValue:
        """Store the changes. Before anybody sees the book or loses it by them, the page says who, and asks."""
        book, values = book_detail(work, book_id), typed_values(request.form)
        try:
            differences = consequences_of(work, lambda: change_book(work, book_id, as_draft(values)))
            digest = digest_of(differences)
            if differences and request.form.get("confirmed", "") != digest:
                asked = {"consequences": sentences(differences), "digest": digest}
                return _form(work, values, status=200, book=book, question=asked)
            change_book(work, book_id, as_draft(values))
        except Invalid as error:
            return _form(work, values, status=422, book=book, error=error)
        flash(_("Address book saved."), "success")
        return redirect(f"/books/{book_id}", 303)

    @expose("/<int:book_id>/delete", methods=["POST"])
    @requires(Permission.BOOKS_MANAGE)
    def delete(self, work: Work, book_id: int) -> ResponseReturnValue:
        """Delete the book; its contacts stay in Centrala."""
        delete_book(work, book_id)
        flash(_("Address book deleted. Its contacts stay in Centrala."), "success")
        return redirect("/books/", 303)

    @expose("/<int:book_id>/add")
    @requires(Permission.CONTACTS_WRITE)
    def add(self, work: Work, book_id: int) -> ResponseReturnValue:
        """Who could be put in: found by ``q``, with those marked who are in already; and whole databases."""
        needle = as_needle(request.args.get("q"))
        book = book_detail(work, book_id, search=needle)
        return render_template(
            "books/add.html",
            book=book,
            needle=needle,
            found=contact_choices(work, needle) if needle else [],
            is_in={row.id for row in book.contacts.rows},
            databases=[(choice.id, choice.name) for choice in database_choices(work)],
        )

    @expose("/<int:book_id>/contacts", methods=["POST"])
    @requires(Permission.CONTACTS_WRITE)
    def contacts(self, work: Work, book_id: int) -> ResponseReturnValue:
        """Put contacts in (``put``) or a whole database (``database_id``), or take some out (``withdraw``)."""
        again = _query(q=as_needle(request.form.get("q")))
        if database_id := as_id(request.form.get("database_id")):
            flash(_put_in(put_database_in_book(work, book_id, database_id)), "success")
            return redirect(f"/books/{book_id}", 303)
        if leaving := _ids("withdraw"):
            flash(_withdrawn(withdraw_from_book(work, book_id, leaving)), "success")
            return redirect(f"/books/{book_id}{again}", 303)
        put_in_book(work, book_id, _ids("put"))
        return redirect(f"/books/{book_id}/add{again}", 303)


class ContactBooks(BaseView):
    """A contact's check boxes: in which books it stands."""

    route_base = "/contacts"

    @expose("/<int:contact_id>/books", methods=["POST"])
    @requires(Permission.CONTACTS_WRITE)
    def change(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """Put the contact in a book, or withdraw it; answers its card to htmx, with a notice that can be undone."""
        contact_detail(work, contact_id)  # or there is no such contact for the viewer
        book_id, goes_in = as_id(request.values.get("book_id")) or 0, bool(request.values.get("is_in"))
        before = {book.book_id: book for book in books_of_contact(work, contact_id)}
        if book_id not in before:
            raise NotFound
        (put_in_book if goes_in else withdraw_from_book)(work, book_id, [contact_id])
        text = _moved(before[book_id].name, before[book_id].holders, goes_in=goes_in)
        undo_url = f"/contacts/{contact_id}/books" + _query(book_id=book_id, is_in="" if goes_in else "1")
        if request.headers.get("HX-Request"):
            return _card(work, contact_id, {"text": text, "tone": "success", "undo_url": undo_url})
        flash({"text": text, "undo_url": undo_url}, "success")  # type: ignore[arg-type]  # the notice reads more than a text
        return redirect(f"/contacts/{contact_id}", 303)


def _form(
    work: Work,
    values: Typed,
    *,
    status: int,
    book: BookDetail | None = None,
    error: Invalid | None = None,
    question: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    databases = [(choice.id, choice.name) for choice in database_choices(work)]
    if len(databases) > 1 and not values["database_id"]:
        databases.insert(0, (0, _("Choose one")))
    page = render_template(
        "books/form.html",
        book=book,
        values=values,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        databases=databases,
        groups=user_group_choices(work),
        policies=_policies(),
        question=question,
    )
    return page, status


def _card(work: Work, contact_id: int, notice: dict[str, str]) -> Response:
    page = render_template(
        "books/of_contact.html",
        contact_id=contact_id,
        contact_books=books_of_contact(work, contact_id),
        holders=holders_of_contact(work, contact_id),
    )
    response = make_response(page)
    response.headers["HX-Trigger"] = json.dumps({"toast": notice})
    return response


def _policies() -> dict[SyncPolicy, tuple[str, str]]:
    """Name and meaning of each policy."""
    return {
        SyncPolicy.PHONE_BOOK: (
            _("In the phone's own contacts"),
            _("Phones and mail programs copy the book. Other apps on a phone, such as messengers, can read it there."),
        ),
        SyncPolicy.APP_ONLY: (
            _("Only in Centrala"),
            _("Colleagues look contacts up and call them from here. Nothing is copied into a phone's own contacts."),
        ),
        SyncPolicy.NONE: (_("Not on phones"), _("Colleagues see the book in the browser only.")),
    }


def _leaving(work: Work, book: BookDetail, contact_id: int | None) -> dict[str, Any] | None:
    """The contact that the viewer is about to withdraw, and how many phones hold it."""
    if contact_id is None or not work.actor.may(Permission.CONTACTS_WRITE):
        return None
    here = next((found for found in books_of_contact(work, contact_id) if found.book_id == book.id), None)
    if here is None or not here.is_in:
        return None
    return {"id": contact_id, "name": contact_detail(work, contact_id).name, "holders": here.holders}


def _put_in(count: int) -> str:
    if not count:
        return str(_("All of them were in the book already."))
    return str(ngettext("%(num)d contact put in.", "%(num)d contacts put in.", count))


def _withdrawn(count: int) -> str:
    return str(ngettext("%(num)d contact withdrawn.", "%(num)d contacts withdrawn.", count))


def _moved(book_name: str, holders: int, *, goes_in: bool) -> str:
    if goes_in:
        return str(_("Put in “%(book)s”.", book=book_name))
    if not holders:
        return str(_("Withdrawn from “%(book)s”. No phone held it.", book=book_name))
    words = ngettext(
        "Withdrawn from “%(book)s”. It goes from %(num)d phone at its next sync.",
        "Withdrawn from “%(book)s”. It goes from %(num)d phones at their next sync.",
        holders,
        book=book_name,
    )
    return str(words)


def _ids(field: str) -> list[int]:
    return [found for text in request.form.getlist(field) if (found := as_id(text))]


def _query(**values: object) -> str:
    given = {name: str(value) for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _show_phone(number: str) -> str:
    return shown_phone(number, current_tenant().country)
