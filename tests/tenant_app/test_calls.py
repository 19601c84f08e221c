"""The pages of calls: the log, a call with its recording, and the cards of the static panel."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.calls.causes import Cause, EndedBy
from core.calls.models import Call
from core.calls.service import Ending, end_call, note_answered, note_leg_ended
from core.directory.service import ContactDraft, Reachable, create_contact
from core.foundation import clock
from core.foundation.read_log import ReadEvent
from core.tickets.models import Ticket
from core.timeline.models import Activity
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.recorded import SOUND, ended_call, recorded_call
from tests.support.statements import ENTERING, counted_statements
from tests.support.telephony import OUTSIDE, Telephony, call_from_line, call_from_outside, set_up

CreateContact = Callable[..., int]
CARD_STATEMENTS = 8
LIST_STATEMENTS = 2


@pytest.fixture
def telephony(work_as: WorkAs, cast: Cast) -> Telephony:
    """The demo company's lines, phones, trunk and number."""
    with work_as("system") as work:
        return set_up(work, cast.demo)


@pytest.fixture
def with_number(work_as: WorkAs, cast: Cast) -> CreateContact:
    """``with_number("Jana Malá")``: a contact who has the caller's number."""

    def create(name: str, *, database: int | None = None, number: str = OUTSIDE) -> int:
        with work_as("system") as work:
            return create_contact(
                work,
                ContactDraft(
                    name=name,
                    database_id=database or cast.demo.open_database,
                    phones=(Reachable(number),),
                    emails=(Reachable("caller@customer.example"),),
                ),
            )

    return create


def ring(work_as: WorkAs, telephony: Telephony, caller: str = OUTSIDE) -> int:
    """A call that rings at Boris' line."""
    with work_as("system") as work:
        return call_from_outside(work, telephony, caller=caller).call_id


def test_the_log_says_who_called_whom_and_how_it_ended(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Jana Malá")
    with work_as("system") as work:
        call_id = recorded_call(work, telephony)
    page = client_as("boris").get("/calls/").text
    for words in ("Jana Malá", "601 123 456", "Boris Nováková", "Answered", "The caller hung up", "1:15", "Recorded"):
        assert words in page
    assert f'href="/calls/{call_id}"' in page


def test_the_log_is_narrowed_by_direction_and_by_what_was_missed(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    with work_as("system") as work:
        answered = ended_call(work, telephony)
        missed = call_from_outside(work, telephony).call_id
        end_call(work, missed, Ending(cause=Cause.NO_ANSWER, ended_by=EndedBy.SYSTEM, at=clock.now(), sip_status=480))
        inside = call_from_line(work, telephony, "102").call_id
        outgoing = call_from_line(work, telephony, "+420777000111").call_id
    boris = client_as("boris")
    found = {
        which: {number for number in (answered, missed, inside, outgoing) if f'href="/calls/{number}"' in page}
        for which in ("all", "in", "out", "internal", "missed")
        for page in [boris.get(f"/calls/?which={which}").text]
    }
    assert found == {
        "all": {answered, missed, inside, outgoing},
        "in": {answered, missed},
        "out": {outgoing},
        "internal": {inside},
        "missed": {missed},
    }


@pytest.mark.parametrize("needle", ["601 123 456", "+420601123456", "123456", "Jana", "jana mala"])
def test_the_log_is_searched_by_number_and_by_contact(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact, needle: str
) -> None:
    with_number("Jana Malá")
    with work_as("system") as work:
        wanted, other = ended_call(work, telephony), ended_call(work, telephony, caller="+420777000111")
    page = client_as("boris").get("/calls/", query_string={"q": needle}).text
    assert f'href="/calls/{wanted}"' in page
    assert f'href="/calls/{other}"' not in page


@pytest.mark.attack(57)
def test_a_hidden_contact_is_neither_named_nor_found(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Chief", database=cast.demo.closed_database)
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    for path in ("/calls/", f"/calls/{call_id}", "/calls/card", f"/calls/{call_id}/card"):
        page = boris.get(path).text
        assert "Chief" not in page
        assert "601 123 456" in page
    assert f'href="/calls/{call_id}"' not in boris.get("/calls/?q=chief").text
    assert "Chief" in client_as("anna").get(f"/calls/{call_id}").text


def test_a_log_continues_where_the_page_ended(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        ids = [ended_call(work, telephony) for _ in range(52)]
    boris = client_as("boris")
    first = boris.get("/calls/").text
    assert f'href="/calls/{ids[0]}"' not in first
    rest = boris.get(f"/calls/?after={ids[2]}").text
    assert [number for number in ids if f'href="/calls/{number}"' in rest] == ids[:2]
    assert f"after={ids[2]}" in first
    assert f'href="/calls/{ids[0]}"' in boris.get("/calls/?rows=52").text


@pytest.mark.attack(26)
@pytest.mark.parametrize("query", ["which=stolen", "after=1;drop", "after=-1", "after=9" * 30])
def test_an_address_of_a_log_that_leads_nowhere_is_refused(
    client_as: ClientAs, telephony: Telephony, query: str
) -> None:
    assert client_as("boris").get(f"/calls/?{query}").status_code == 422


def test_the_log_costs_few_statements(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        for _ in range(5):
            recorded_call(work, telephony)
    boris = client_as("boris")
    with counted_statements() as queries:
        boris.get("/calls/")
    assert len(queries) <= ENTERING + LIST_STATEMENTS


def test_a_call_tells_what_rang_and_what_became_of_it(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    call_id = ring(work_as, telephony)
    with work_as("system") as work:
        phone = telephony.phones["101"].id
        note_leg_ended(work, call_id, phone, cause=Cause.ENGAGED, sip_status=486, at=clock.now())
        end_call(work, call_id, Ending(cause=Cause.ENGAGED, ended_by=EndedBy.SYSTEM, at=clock.now(), sip_status=486))
    page = client_as("boris").get(f"/calls/{call_id}").text
    assert "Missed call" in page
    assert "Desk phone: Engaged" in page
    assert "This call was not recorded." in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("recording", "Being recorded."),
        ("encoding", "Still being saved."),
        ("failed", "The recording failed."),
        ("ready", "data-player"),
    ],
)
def test_a_recording_is_shown_in_each_of_its_states(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, state: str, words: str
) -> None:
    with work_as("system") as work:
        call_id = recorded_call(work, telephony, state=state)
    page = client_as("boris").get(f"/calls/{call_id}").text
    assert words in page
    assert ("data-player" in page) == (state == "ready")


def test_whoever_may_not_listen_is_told_so(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Jana Malá")
    with work_as("system") as work:
        call_id = recorded_call(work, telephony)
    page = client_as("vera").get(f"/calls/{call_id}").text
    assert "Ask an administrator" in page
    assert f"/calls/{call_id}/recording" not in page


def test_several_people_with_the_number_are_offered_and_one_is_picked(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    jana, petr = with_number("Jana Malá"), with_number("Petr Malý")
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    page = boris.get(f"/calls/{call_id}").text
    assert "Several contacts have this number." in page
    assert f'name="contact_id" value="{jana}"' in page
    assert boris.post(f"/calls/{call_id}/pair", data={"contact_id": petr}).status_code == 303
    assert "<h1>Petr Malý</h1>" in boris.get(f"/calls/{call_id}").text


def test_a_call_of_nobody_offers_a_new_contact_and_finds_others_by_name(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Ctirad Tkáč", number="+420777000111")
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    assert "/contacts/new?phone=%2B420601123456" in boris.get(f"/calls/{call_id}").text
    assert "Ctirad Tkáč" in boris.get(f"/calls/{call_id}?who=tkac").text


def test_a_recording_is_sent_whole_or_in_part(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        url = f"/calls/{recorded_call(work, telephony)}/recording"
    boris = client_as("boris")
    whole = boris.get(url)
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/ogg", SOUND)
    assert whole.headers["Cache-Control"] == "private, no-store"
    part = boris.get(url, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, SOUND[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(SOUND)}"
    assert boris.get(url, headers={"Range": "bytes=999999-"}).status_code == 416


@pytest.mark.attack(51)
def test_a_recordings_address_gives_no_sound_to_others(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    with work_as("system") as work:
        url = f"/calls/{recorded_call(work, telephony)}/recording"
    boris = client_as("boris")
    assert boris.get(url).status_code == 200
    boris.post("/sign-out")
    answers = {
        "nobody": client_as("nobody").get(url),
        "signed out": boris.get(url),
        "vera": client_as("vera").get(url),
        "oleg": client_as("oleg").get(url),
        "oleg, a part": client_as("oleg").get(url, headers={"Range": "bytes=0-99"}),
    }
    assert {who: answer.status_code for who, answer in answers.items()} == {
        "nobody": 303,
        "signed out": 303,
        "vera": 403,
        "oleg": 404,
        "oleg, a part": 404,
    }
    assert not any(b"OggS" in answer.data for answer in answers.values())


@pytest.mark.attack(51, 57)
def test_the_recording_of_a_call_that_is_hidden_is_not_there(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Chief", database=cast.demo.closed_database)
    with work_as("system") as work:
        call_id = recorded_call(work, telephony)
        call = work.session.get_one(Call, call_id)
        call.line_id = telephony.lines["102"]
    for path in (f"/calls/{call_id}", f"/calls/{call_id}/recording", f"/calls/{call_id}/card"):
        assert client_as("boris").get(path).status_code == 404
    assert client_as("anna").get(f"/calls/{call_id}/recording").status_code == 200


def test_listening_is_noted(client_as: ClientAs, work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_id = recorded_call(work, telephony)
    client_as("boris").get(f"/calls/{call_id}/recording")
    with work_as("system") as work:
        noted = work.session.scalars(select(ReadEvent).where(ReadEvent.subject_kind == "recording")).all()
    assert [(entry.user_id, list(entry.subject_ids)) for entry in noted] == [(cast.demo.users["boris"], [call_id])]


def test_a_contacts_timeline_leads_to_the_call_and_loads_its_player(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    jana = with_number("Jana Malá")
    with work_as("system") as work:
        call_id = recorded_call(work, telephony)
    boris = client_as("boris")
    page = boris.get(f"/contacts/{jana}").text
    assert f'href="/calls/{call_id}"' in page
    assert f'hx-get="/calls/{call_id}/player"' in page
    assert f'src="/calls/{call_id}/recording"' in boris.get(f"/calls/{call_id}/player").text
    assert f'hx-get="/calls/{call_id}/player"' not in client_as("vera").get(f"/contacts/{jana}").text


def test_the_card_of_a_ringing_call_says_who_it_is(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    jana = with_number("Jana Malá")
    call_id = ring(work_as, telephony)
    card = client_as("boris").get("/calls/card").text
    assert f'data-call-card="{call_id}" data-call-state="ringing" data-call-title="Jana Malá"' in card
    for words in ("Incoming call", "601 123 456", "line 101", f'href="/contacts/{jana}"', "New ticket"):
        assert words in card
    assert f"/mail/new?contact_id={jana}&amp;to=caller%40customer.example" in card
    assert "<html" not in card


def test_nothing_rings_for_those_whose_line_is_not_called(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    ring(work_as, telephony)
    for name in ("anna", "vera", "oleg"):
        assert client_as(name).get("/calls/card").text.strip() == ""


def test_the_card_follows_the_call_and_stays_when_it_is_over(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    with work_as("system") as work:
        note_answered(work, call_id, telephony.phones["101"].id, at=clock.now())
    assert 'data-call-state="answered"' in boris.get("/calls/card").text
    with work_as("system") as work:
        end_call(work, call_id, Ending(cause=Cause.ANSWERED, ended_by=EndedBy.CALLER, at=clock.now(), sip_status=200))
    assert boris.get("/calls/card").text.strip() == ""
    card = boris.get(f"/calls/{call_id}/card").text
    assert 'data-call-state="ended"' in card
    assert "The caller hung up" in card


def test_both_sides_of_a_call_inside_see_each_other(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_from_line(work, telephony, "102")
    assert 'data-call-title="Boris Nováková"' in client_as("anna").get("/calls/card").text
    calling = client_as("boris").get("/calls/card").text
    assert 'data-call-title="Anna Nováková"' in calling
    assert "Calling" in calling


def test_a_person_picked_on_the_card_comes_back_as_the_card(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    jana, _petr = with_number("Jana Malá"), with_number("Petr Malý")
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    assert "Several people have this number." in boris.get("/calls/card").text
    answer = boris.post(f"/calls/{call_id}/pair", data={"contact_id": jana}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert 'data-call-title="Jana Malá"' in answer.text


@pytest.mark.covers("D-MAIL-52", "D-MAIL-63")
def test_one_press_opens_a_ticket_of_ones_own_for_the_call(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, telephony: Telephony, with_number: CreateContact
) -> None:
    jana = with_number("Jana Malá")
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    answer = boris.post(f"/calls/{call_id}/ticket", headers={"HX-Request": "true"})
    again = boris.post(f"/calls/{call_id}/ticket")
    with work_as("system") as work:
        [ticket] = work.session.scalars(select(Ticket)).all()
        activity = work.session.scalar(select(Activity.ticket_id).join(Call, Call.activity_id == Activity.id))
    assert (ticket.contact_id, ticket.owner_id, ticket.title) == (jana, cast.demo.users["boris"], "Call from Jana Malá")
    assert ticket.requester == "caller@customer.example"
    assert activity == ticket.id
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["url"] == f"/tickets/{ticket.id}"
    assert f'href="/tickets/{ticket.id}"' in answer.text
    assert again.location == f"/tickets/{ticket.id}"
    assert f'href="/calls/{call_id}"' in boris.get(f"/tickets/{ticket.id}").text


def test_whoever_was_chosen_stands_on_the_card_though_their_number_is_another(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    ctirad = with_number("Ctirad Tkáč", number="+420777000111")
    call_id = ring(work_as, telephony)
    boris = client_as("boris")
    boris.post(f"/calls/{call_id}/pair", data={"contact_id": ctirad})
    for path in ("/calls/card", f"/calls/{call_id}/card"):
        assert 'data-call-title="Ctirad Tkáč"' in boris.get(path).text


def test_the_cards_cost_few_statements(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, with_number: CreateContact
) -> None:
    with_number("Jana Malá")
    ring(work_as, telephony)
    boris = client_as("boris")
    with counted_statements() as queries:
        boris.get("/calls/card")
    assert len(queries) <= ENTERING + CARD_STATEMENTS


def test_every_page_listens_for_the_viewers_own_calls(client_as: ClientAs, cast: Cast, telephony: Telephony) -> None:
    assert f'data-live="my-call:{cast.demo.users["boris"]}"' in client_as("boris").get("/contacts/").text
