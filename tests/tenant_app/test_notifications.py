"""The bell, the list, and the choice of what is told."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from core.foundation.unit_of_work import Work
from core.notifications.choices import my_choices
from core.notifications.kinds import Channel, Kind
from core.notifications.models import Notification, PushSubscription
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket
from tests.architecture.settings_routes import BROWSER
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.news import run_news

SETTINGS = "/notifications/settings"


def give(work_as: WorkAs, cast: Cast, title: str = "Printer") -> int:
    """Anna makes a ticket Boris', who is told of it."""
    with work_as("anna") as work:
        ticket_id = open_ticket(work, TicketDraft(title=title, category_id=cast.demo.open_category)).id
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    run_news(cast.demo.tenant_id)
    return ticket_id


def newest(work: Work) -> int:
    """The id of the newest notification."""
    return work.session.scalars(select(Notification.id).order_by(Notification.id.desc()).limit(1)).one()


def bell(client: FlaskClient) -> str:
    """What the bell of every page says."""
    return re.sub(r"<[^>]+>", "", client.get("/notifications/bell").text).strip()


@pytest.mark.covers("P-4")
def test_the_bell_counts_what_is_unread_and_leads_there(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    boris = client_as("boris")
    assert bell(boris) == ""
    ticket_id = give(work_as, cast, "<b>Printer</b>")
    assert bell(boris) == "1 unread"
    latest = boris.get("/notifications/latest").text
    assert "A ticket is yours now" in latest
    assert "&lt;b&gt;Printer" in latest
    with work_as("system") as work:
        notification_id = newest(work)
    answer = boris.get(f"/notifications/{notification_id}")
    assert (answer.status_code, answer.location) == (303, f"/tickets/{ticket_id}")
    assert bell(boris) == ""
    assert 'popovertarget="notifications"' in boris.get("/contacts/").text


@pytest.mark.covers("P-4")
def test_reading_the_ticket_reads_its_notifications(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    first, second = give(work_as, cast), give(work_as, cast)
    boris = client_as("boris")
    boris.get(f"/tickets/{first}", headers={"HX-Request": "true"})  # a page that refreshes itself was read by nobody
    assert bell(boris) == "2 unread"
    boris.get(f"/tickets/{first}")
    assert bell(boris) == "1 unread"
    client_as("anna").get(f"/tickets/{second}")
    assert bell(boris) == "1 unread"


def test_one_or_all_are_marked_as_read(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    for _ticket in range(3):
        give(work_as, cast)
    boris = client_as("boris")
    with work_as("system") as work:
        notification_id = newest(work)
    answer = boris.post(f"/notifications/{notification_id}/read", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.count("is-unread") == 2
    assert bell(boris) == "2 unread"
    assert client_as("vera").post(f"/notifications/{notification_id}/read").status_code == 404
    assert boris.post("/notifications/read-all").location == "/notifications/"
    assert bell(boris) == ""
    page = boris.get("/notifications/").text
    assert page.count("data-row-link") == 3
    assert "is-unread" not in page


def test_the_list_goes_page_by_page(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        values = {"user": cast.demo.users["boris"]}
        work.session.execute(
            text(
                "insert into notification (user_id, kind, key, source_id, happened_at)"
                " select :user, 'new_browser', 'session:' || n, n, now() - make_interval(secs => n % 40)"
                " from generate_series(1, 130) n"
            ),
            values,
        )
    boris, url, seen = client_as("boris"), "/notifications/", list[str]()
    assert bell(boris) == "99+ unread"
    while url:
        page = boris.get(url).text
        seen += re.findall(r'id="notification-(\d+)"', page)
        more = re.search(r'hx-get="(/notifications/\?after=[^"]+)"', page)
        url = more[1] if more else ""
    assert len(seen) == len(set(seen)) == 130


@pytest.mark.attack(26)
@pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-x", "9" * 30 + "-1", "1; drop-1", "１-１"])
def test_a_page_that_is_none_is_refused(client_as: ClientAs, after: str) -> None:
    assert client_as("boris").get(f"/notifications/?after={after}").status_code == 422


def test_who_was_told_nothing_is_told_what_would_be(client_as: ClientAs) -> None:
    assert "Nothing yet" in client_as("vera").get("/notifications/").text
    assert "Nothing yet" in client_as("vera").get("/notifications/latest").text


@pytest.mark.attack(57)
def test_a_ticket_that_was_hidden_is_in_no_list(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    ticket_id = give(work_as, cast, "Law suit")
    with work_as("system") as work:
        notification_id = newest(work)
    with work_as("anna") as work:
        change_ticket(work, ticket_id, TicketPatch(category_id=cast.demo.closed_category), version=2)
    boris = client_as("boris")
    for path in ("/notifications/", "/notifications/latest", SETTINGS):
        assert "Law suit" not in boris.get(path).text
    assert boris.get(f"/notifications/{notification_id}").status_code == 404
    assert bell(boris) == ""


# Choices


@pytest.mark.covers("P-4")
def test_what_is_told_by_which_channel_is_chosen_box_by_box(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    page = boris.get(SETTINGS).text
    assert len(re.findall(r'value="ticket_assigned:\w+"[^>]* checked', page)) == 3
    assert len(re.findall(r'value="ticket_opened:\w+"[^>]* checked', page)) == 0
    form = {"kind": ["ticket_assigned", "ticket_opened"], "chosen": ["ticket_assigned:app", "ticket_opened:push"]}
    answer = boris.post(SETTINGS, data=form, headers={"HX-Request": "true"})
    assert (answer.status_code, "Saved" in answer.text) == (200, True)
    with work_as("boris") as work:
        choices = my_choices(work)
    assert choices[Kind.TICKET_ASSIGNED] == {Channel.APP}
    assert choices[Kind.TICKET_OPENED] == {Channel.PUSH}
    assert choices[Kind.CUSTOMER_ANSWERED] == frozenset(Channel)
    page = client_as("boris").get(SETTINGS).text  # it follows its user to every browser
    assert len(re.findall(r'value="ticket_assigned:\w+"[^>]* checked', page)) == 1


def test_the_mail_about_a_new_browser_cannot_be_switched_off(client_as: ClientAs, work_as: WorkAs) -> None:
    assert client_as("boris").post(SETTINGS, data={"kind": "new_browser"}).status_code == 303
    with work_as("boris") as work:
        assert my_choices(work)[Kind.NEW_BROWSER] == {Channel.MAIL}


@pytest.mark.attack(28)
@pytest.mark.parametrize(
    "form", [{"kind": "secret"}, {"chosen": "secret:app"}, {"chosen": "ticket_assigned:fax"}, {"chosen": "x"}]
)
def test_forged_choices_are_refused(client_as: ClientAs, form: dict[str, str]) -> None:
    answer = client_as("boris").post(SETTINGS, data=form)
    assert answer.status_code == 422
    assert "There is no such notification." in answer.text


def test_kinds_that_one_may_not_get_are_not_offered(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("system") as work:
        work.session.execute(text("delete from permission_grant where permission in ('tickets.read', 'calls.read')"))
    vera = client_as("vera")
    assert set(re.findall(r'name="kind" value="(\w+)"', vera.get(SETTINGS).text)) == {"new_browser"}
    assert vera.post(SETTINGS, data={"kind": "ticket_assigned"}).status_code == 422


# Push


@pytest.mark.covers("P-4")
def test_a_browser_takes_pushes_until_it_is_switched_off(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    assert boris.post("/notifications/push", data=BROWSER).status_code == 303
    page = boris.get(SETTINGS).text
    assert page.count(">This browser<") == 1
    (subscription_id,) = re.findall(r"/notifications/push/(\d+)/remove", page)
    assert ">This browser<" not in client_as("boris").get(SETTINGS).text
    assert client_as("anna").post(f"/notifications/push/{subscription_id}/remove").status_code == 404
    assert boris.post(f"/notifications/push/{subscription_id}/remove").status_code == 303
    with work_as("system") as work:
        assert work.session.scalars(select(PushSubscription.id)).all() == []


def test_signing_out_ends_the_pushes_of_that_browser(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    boris.post("/notifications/push", data=BROWSER)
    boris.post("/sign-out")
    with work_as("system") as work:
        assert work.session.scalars(select(PushSubscription.id)).all() == []


@pytest.mark.attack(38)
@pytest.mark.parametrize("endpoint", ["http://push.example/x", "https://", "javascript:alert(1)", ""])
def test_a_strange_endpoint_is_refused(client_as: ClientAs, endpoint: str) -> None:
    answer = client_as("boris").post("/notifications/push", data=BROWSER | {"endpoint": endpoint})
    assert answer.status_code == 422
    assert "Nothing was stored" in answer.text


def test_the_service_worker_serves_the_whole_site(client_as: ClientAs) -> None:
    answer = client_as("nobody").get("/service-worker.js")
    assert answer.mimetype == "text/javascript"
    assert "no-cache" in answer.headers["Cache-Control"]
    assert "showNotification" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
