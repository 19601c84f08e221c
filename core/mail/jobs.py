"""What happens to mail after a commit."""

from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.foundation.unit_of_work import unit_of_work
from core.mail.filing import file_inbound
from core.mail.intake import FILE_JOB
from core.mail.security_notices import mail_reset_link, tell_of_browser, tell_of_password, tell_of_second_factor
from core.mail.sending import send_outbound
from core.mail.writing import SEND_JOB


@job(FILE_JOB)
def file_mail(actor: Actor, *, inbound_mail_id: int) -> None:
    """Bring a mail that came in into its ticket."""
    file_inbound(actor, inbound_mail_id)


@job(SEND_JOB)
def send_mail(actor: Actor, *, outbound_mail_id: int) -> None:
    """Send a mail that was written."""
    send_outbound(actor, outbound_mail_id)


@job("mail.tell_of_browser")
def tell_of_new_browser(actor: Actor, *, session_id: int) -> None:
    """Tell a user by mail of a browser that is new to them."""
    with unit_of_work(actor) as work:
        tell_of_browser(work, session_id)


@job("mail.tell_of_password")
def tell_of_new_password(actor: Actor, *, user_id: int) -> None:
    """Tell a user by mail that their password was changed."""
    with unit_of_work(actor) as work:
        tell_of_password(work, user_id)


@job("mail.send_reset_link")
def send_reset_link(actor: Actor, *, user_id: int) -> None:
    """Mail a user the link at which they choose a new password."""
    with unit_of_work(actor) as work:
        mail_reset_link(work, user_id)


@job("mail.tell_of_second_factor")
def tell_of_changed_factor(actor: Actor, *, user_id: int, change: str) -> None:
    """Tell a user by mail what happened to their second factor."""
    with unit_of_work(actor) as work:
        tell_of_second_factor(work, user_id, change)
