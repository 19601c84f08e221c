"""``/mail/<activity>/…`` and ``/attachments/<id>``: what a mail holds, each under a policy that lets nothing act."""

from io import BytesIO
from typing import Final

from flask import Response, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.mail.queries import StoredFile, attachment_file, mail_body, raw_mail
from tenant_app.pages import requires

BODY_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src {images}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
FILE_POLICY: Final = "sandbox; default-src 'none'"
RAW_TYPE: Final = "message/rfc822"
HARMLESS: Final = ("image/png", "image/jpeg", "image/gif", "application/pdf", "text/plain", "text/csv", RAW_TYPE)


class Mail(BaseView):
    """Bodies, files and raw messages."""

    route_base = ""

    @expose("/mail/<int:activity_id>/body")
    @requires(Permission.TICKETS_READ)
    def body(self, work: Work, activity_id: int) -> ResponseReturnValue:
        """The mail as its sender formatted it, for a sandboxed frame. Remote pictures load with ``?images=1`` alone."""
        asked = request.args.get("images") == "1"
        images = "data: https: http:" if asked else "data:"
        page = render_template("mail/body.html", html=mail_body(work, activity_id, with_remote_images=asked))
        return Response(page, headers={"Content-Security-Policy": BODY_POLICY.format(images=images), **_private()})

    @expose("/mail/<int:activity_id>/raw")
    @requires(Permission.TICKETS_READ)
    def raw(self, work: Work, activity_id: int) -> ResponseReturnValue:
        """The message as it came or as it leaves (RFC 5322)."""
        return _download(StoredFile(f"mail-{activity_id}.eml", RAW_TYPE, raw_mail(work, activity_id)))

    @expose("/attachments/<int:attachment_id>")
    @requires(Permission.TICKETS_READ)
    def attachment(self, work: Work, attachment_id: int) -> ResponseReturnValue:
        """A file, always as a download (ATTACK 13)."""
        return _download(attachment_file(work, attachment_id))


def _download(file: StoredFile) -> Response:
    """The file under its own name, of a type that no browser acts on."""
    media_type = file.media_type if file.media_type in HARMLESS else "application/octet-stream"
    response = send_file(BytesIO(file.content), mimetype=media_type, as_attachment=True, download_name=file.name)
    response.headers.update({"Content-Security-Policy": FILE_POLICY, **_private()})
    return response


def _private() -> dict[str, str]:
    return {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
