"""``/mail/new``: writing an e-mail, in the static panel or on a page of its own."""

import json
import secrets
from collections.abc import Mapping
from typing import Final

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.mail.writing import MailDraft, sender_choices, write_mail
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

FIELDS: Final = ("mail_address_id", "contact_id", "to", "copies", "subject", "text", "draft")
PANEL_ID_BYTES: Final = 4


class Compose(BaseView):
    """A new e-mail; sending it opens a ticket (D-MAIL-2)."""

    route_base = ""

    @expose("/mail/new")
    @requires(Permission.TICKETS_REPLY)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form, or one that the address fills; for the panel without the frame around it."""
        return _form(work, request.args, errors={})

    @expose("/mail/new", methods=["POST"])
    @requires(Permission.TICKETS_REPLY)
    def send(self, work: Work) -> ResponseReturnValue:
        """Queue the mail and go on in its ticket; a refused one keeps everything typed."""
        form = request.form
        draft = MailDraft(
            to=form.get("to", ""),
            copies=form.get("copies", ""),
            subject=form.get("subject", ""),
            text=form.get("text", ""),
        )
        senders = sender_choices(work)
        sender = as_id(form.get("mail_address_id")) or (senders[0].id if senders else 0)
        try:
            ticket_id = write_mail(work, draft, mail_address_id=sender, contact_id=as_id(form.get("contact_id")))
        except Invalid as error:
            problems = {field: say(message) for field, message in error.problems.items()}
            return _form(work, form, errors=problems), 422
        return _sent(f"/tickets/{ticket_id}", draft=form.get("draft", ""))


def _form(work: Work, given: Mapping[str, str], *, errors: dict[str, str]) -> str:
    """The page; for htmx the form alone, with ids that no other form of the page has."""
    is_fragment = bool(request.headers.get("HX-Request"))
    values = {field: given.get(field, "") for field in FIELDS}
    if not errors or not values["draft"]:
        values["draft"] = f"mail-new-{values['contact_id'] or values['to'] or 'blank'}"
    return render_template(
        "mail/new_form.html" if is_fragment else "mail/new.html",
        values=values,
        errors=errors,
        senders=sender_choices(work),
        uid=f"mail-{secrets.token_hex(PANEL_ID_BYTES)}" if is_fragment else "mail",
        is_fragment=is_fragment,
    )


def _sent(ticket_url: str, *, draft: str) -> ResponseReturnValue:
    """A page goes on to the ticket; the panel closes the tab, and a notice leads there."""
    text = _("The e-mail is on its way.")
    if not request.headers.get("HX-Request"):
        flash(text, "success")
        flash(draft, "draft-sent")
        return redirect(ticket_url, 303)
    notice = {"text": text, "tone": "success", "url": ticket_url, "link_text": _("Open the ticket")}
    return Response(status=204, headers={"HX-Trigger": json.dumps({"toast": notice, "panel:done": {}})})
