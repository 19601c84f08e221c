"""What happens to mail after a commit."""

from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.mail.filing import file_inbound
from core.mail.intake import FILE_JOB
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
