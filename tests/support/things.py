"""One of everything in the demo company, for tests that ask for it as everybody."""

from dataclasses import dataclass

from sqlalchemy import select

from core.calls.lines import DeviceDraft, add_device
from core.calls.service import pair_call
from core.calls.spare import release_device
from core.directory.books.entries import put_in_book
from core.directory.books.models import SyncedClient
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.drafts import CompanyDraft, ContactDraft, Reachable
from core.directory.service import create_company, create_contact
from core.foundation import clock
from core.foundation.blobs import store_blob
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import SignInSession
from core.identity.openid.models import LinkedAccount
from core.identity.openid.providers import ProviderDraft, add_provider
from core.identity.service import create_permission_group
from core.identity.sessions import Browser, open_session
from core.identity.user_groups import create_user_group
from core.mail.models import InboundMail, MailMessage, OutboundMail
from core.notifications.models import Notification, PushSubscription
from core.tickets.service import TicketDraft, open_ticket
from core.timeline.models import Activity, Attachment
from tests.support.cast import Company
from tests.support.recorded import recorded_call
from tests.support.telephony import Telephony, set_up

RAW = b"From: jana@customer.example\r\nTo: support@demo.localhost\r\nSubject: Printer\r\n\r\nIt does not print.\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Ids of the demo company's rows; ``hidden`` ones belong to what only the owner sees."""

    contact: int
    company: int
    ticket: int
    activity: int
    attachment: int
    outbound: int
    hidden_contact: int
    hidden_ticket: int
    database: int
    book: int
    client: int
    call: int
    line: int
    device: int
    trunk: int
    number: int
    session: int
    user: int
    spare: int
    group: int
    team: int
    notification: int
    subscription: int
    provider: int
    linked: int


def create_things(work: Work, company: Company) -> Things:
    """A contact, a company, a ticket with a mail in and a mail out, a recorded call, a hidden contact and a ticket."""
    company_id = create_company(work, CompanyDraft(name="Papírna", database_id=company.open_database))
    contact_id = create_contact(
        work,
        ContactDraft(
            name="Jana Malá",
            database_id=company.open_database,
            company_id=company_id,
            emails=(Reachable("jana@customer.example"),),
        ),
    )
    ticket = open_ticket(
        work,
        TicketDraft(
            title="Printer", category_id=company.open_category, contact_id=contact_id, requester="jana@customer.example"
        ),
    )
    hidden_ticket = open_ticket(work, TicketDraft(title="Law suit", category_id=company.closed_category))
    mail_in = _activity(work, ticket.id, contact_id, "in")
    mail_out = _activity(work, ticket.id, contact_id, "out")
    telephony = set_up(work, company)
    session_id = _sign_in(work, company)
    provider_id = _provider(work)
    call_id = recorded_call(work, telephony)
    pair_call(work, call_id, contact_id)
    return Things(
        contact=contact_id,
        company=company_id,
        ticket=ticket.id,
        activity=mail_in,
        attachment=_receive(work, company, mail_in),
        outbound=_send(work, mail_out),
        hidden_contact=create_contact(work, ContactDraft(name="Chief", database_id=company.closed_database)),
        hidden_ticket=hidden_ticket.id,
        session=session_id,
        notification=_notification(work, company, ticket.id),
        subscription=_subscription(work, company, session_id),
        database=company.open_database,
        book=_book(work, company, contact_id),
        client=_client(work, company),
        call=call_id,
        line=telephony.lines["101"],
        device=telephony.phones["101"].id,
        trunk=telephony.trunk,
        number=telephony.number,
        user=company.users["vera"],
        spare=_spare_phone(work, telephony),
        group=create_permission_group(work, "Reception", permissions={Permission.CONTACTS_READ}),
        team=create_user_group(work, "France"),
        provider=provider_id,
        linked=_linked(work, company, provider_id),
    )


def _provider(work: Work) -> int:
    """Where nobody answers."""
    draft = ProviderDraft(
        name="Accounts",
        place="https://localhost:1",
        client_id="centrala",
        client_secret="secret",
        domains="demo.localhost",
    )
    return add_provider(work, "generic", draft)


def _linked(work: Work, company: Company, provider_id: int) -> int:
    """Anna's account there."""
    link = LinkedAccount(provider_id=provider_id, user_id=company.users["anna"], subject="1", email="anna@company.com")
    work.session.add(link)
    work.session.flush()
    return link.id


def _spare_phone(work: Work, telephony: Telephony) -> int:
    """A phone that was taken from Vera's line."""
    device = add_device(work, telephony.lines["103"], DeviceDraft(kind="sip", name="Kitchen"))
    release_device(work, device.id)
    return device.id


def _book(work: Work, company: Company, contact_id: int) -> int:
    """A book with the contact, which everyone sees and phones may hold."""
    draft = BookDraft(
        name="Partners", database_id=company.open_database, everyone_sees=True, sync_policy=SyncPolicy.PHONE_BOOK
    )
    book_id = create_book(work, draft)
    put_in_book(work, book_id, [contact_id])
    return book_id


def _client(work: Work, company: Company) -> int:
    """Anna's phone."""
    client = SyncedClient(
        user_id=company.users["anna"], name="iPhone", username=f"{company.host}-phone", secret_sha256=b"secret"
    )
    work.session.add(client)
    work.session.flush()
    return client.id


def _activity(work: Work, ticket_id: int, contact_id: int, direction: str) -> int:
    activity = Activity(
        kind="email",
        direction=direction,
        ticket_id=ticket_id,
        contact_id=contact_id,
        summary="Printer",
        occurred_at=clock.now(),
    )
    work.session.add(activity)
    work.session.flush()
    message = MailMessage(
        activity_id=activity.id,
        message_id=f"<{activity.id}@customer.example>",
        in_reply_to=[],
        sender=["Jana", "jana@customer.example"],
        recipients=[["", "support@demo.localhost"]],
        copies=[],
        subject="Printer",
        body_text="It does not print.",
        body_html="<p>It does not print.</p>",
        flags=[],
    )
    work.session.add(message)
    return activity.id


def _receive(work: Work, company: Company, activity_id: int) -> int:
    blob_id = store_blob(work, RAW)
    mail = InboundMail(
        blob_id=blob_id,
        sha256=b"",
        mail_address_id=company.mail_address,
        sender="jana@customer.example",
        recipient="support@demo.localhost",
        state="filed",
        activity_id=activity_id,
    )
    attachment = Attachment(
        activity_id=activity_id, blob_id=blob_id, name="page.txt", media_type="text/plain", size_bytes=len(RAW)
    )
    work.session.add_all([mail, attachment])
    work.session.flush()
    return attachment.id


def _notification(work: Work, company: Company, ticket_id: int) -> int:
    """Anna was made the ticket's owner."""
    row = Notification(
        user_id=company.users["anna"],
        kind="ticket_assigned",
        key=f"ticket:{ticket_id}",
        source_id=1,
        ticket_id=ticket_id,
        happened_at=clock.now(),
    )
    work.session.add(row)
    work.session.flush()
    return row.id


def _subscription(work: Work, company: Company, session_id: int) -> int:
    """Another browser of Anna's takes pushes."""
    row = PushSubscription(
        user_id=company.users["anna"],
        session_id=session_id,
        endpoint="https://push.example/anna",
        endpoint_sha256=b"anna",
        p256dh="",
        auth="",
    )
    work.session.add(row)
    work.session.flush()
    return row.id


def _sign_in(work: Work, company: Company) -> int:
    """Another browser of Anna's."""
    open_session(work, company.users["anna"], Browser(agent="Firefox", address="198.51.100.7"))
    return work.session.scalars(select(SignInSession.id).order_by(SignInSession.id.desc()).limit(1)).one()


def _send(work: Work, activity_id: int) -> int:
    mail = OutboundMail(
        activity_id=activity_id,
        blob_id=store_blob(work, RAW),
        envelope_from="support@demo.localhost",
        envelope_to=["jana@customer.example"],
        state="uncertain",
    )
    work.session.add(mail)
    work.session.flush()
    return mail.id
