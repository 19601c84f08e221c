"""The audit log's page and its file."""

import csv
import io
import re
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from core.directory.drafts import ContactDraft
from core.directory.service import create_contact
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.read_log import ReadEvent
from core.identity.models import UserAccount
from core.identity.service import create_permission_group
from core.identity.user_groups import create_user_group
from tenant_app.settings.audit import views
from tenant_app.settings.spreadsheets import csv_lines, harmless
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import READER, Cast
from tests.support.statements import ENTERING, counted_statements
from tests.support.things import create_things

PAGE = "/settings/audit/"
EXPORT = "/settings/audit/export"
ROW = re.compile(r'<tr data-row id="change-(\d+)"')


@pytest.fixture
def _auditing_vera(work_as: WorkAs, cast: Cast) -> None:
    """Vera reads the log, and otherwise what everybody may read."""
    with work_as("system") as work:
        group = create_permission_group(work, "Auditors", permissions=READER | {Permission.AUDIT_READ})
        work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id = group


def table_of(answer: Any) -> list[list[str]]:
    """The file's lines behind its headings."""
    text = answer.data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def test_a_change_stands_on_the_page_with_both_sides(client_as: ClientAs) -> None:
    anna = client_as("anna")
    made = anna.post(
        "/lines/trunks/new",
        data={
            "name": "Way <out>",
            "host": "sip.carrier.example",
            "port": "5060",
            "transport": "udp",
            "is_enabled": "1",
        },
    )
    assert made.status_code == 303, made.text
    page = anna.get(PAGE).text
    assert "Way &lt;out&gt;" in page
    assert "sip.carrier.example" in page
    assert "Anna Nováková" in page
    assert "in the browser" in page


def test_the_page_says_what_was_asked_and_finds_it(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        create_contact(work, ContactDraft(name="Ctirad Tkáč", database_id=cast.demo.open_database))
    anna = client_as("anna")
    boris = cast.demo.users["boris"]
    assert "Ctirad Tkáč" in anna.get(f"{PAGE}?q=tkac&who={boris}&kind=contact").text
    assert f'<option value="{boris}" selected>' in anna.get(f"{PAGE}?who={boris}").text
    nothing = anna.get(f"{PAGE}?q=tkac&kind=ticket").text
    assert "No change found" in nothing
    assert ROW.findall(nothing) == []


def test_a_day_is_the_companys_day(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("anna") as work:
        group = create_user_group(work, "Night shift")
        work.session.flush()
        stored = work.session.scalars(
            select(Change).where(Change.subject_kind == "user_group", Change.subject_id == group)
        ).one()
        stored.changed_at = datetime.fromisoformat("2026-06-30T22:30:00+00:00")  # 1 July, 0:30 in Prague
    anna = client_as("anna")
    assert "Night shift" in anna.get(f"{PAGE}?since=2026-07-01&until=2026-07-01").text
    assert "Night shift" not in anna.get(f"{PAGE}?since=2026-06-30&until=2026-06-30").text


@pytest.mark.attack(26)
@pytest.mark.parametrize(
    "query",
    [
        *("since=yesterday", "until=2026-02-30", "since=2026-03-02&until=2026-03-01", "who=me", "kind=;--"),
        *("after=1;--", "after=2026-01-01T00:00:00~1", "after=x~1", "subject=x", "since=0001-01-01"),
    ],
)
def test_a_forged_address_is_refused_and_what_was_typed_stays(client_as: ClientAs, query: str) -> None:
    anna = client_as("anna")
    answer = anna.get(f"{PAGE}?{query}&q=kept")
    assert answer.status_code == 422
    if "after" not in query:
        assert 'value="kept"' in answer.text
        form = dict(part.split("=") for part in query.split("&"))
        assert anna.post(EXPORT, data=form).status_code == 422


def test_the_list_goes_on_page_by_page(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("anna") as work:
        for number in range(60):
            create_user_group(work, f"Group {number}")
    anna = client_as("anna")
    page = anna.get(f"{PAGE}?kind=user_group").text
    first = ROW.findall(page)
    more = re.search(r'hx-get="([^"]+)".*?hx-trigger="click, revealed"', page)
    assert more is not None
    second = ROW.findall(anna.get(more[1].replace("&amp;", "&")).text)
    assert len(first) == 50
    assert len(second) >= 10
    assert not set(first) & set(second)


def test_a_page_takes_few_statements_however_many_changes_it_shows(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("anna") as work:
        for number in range(40):
            create_user_group(work, f"Group {number}")
    anna = client_as("anna")
    with counted_statements() as sent:
        assert len(ROW.findall(anna.get(f"{PAGE}?kind=user_group").text)) >= 40
    assert len(sent) <= ENTERING + 5, sent


@pytest.mark.attack(57)
@pytest.mark.usefixtures("_auditing_vera")
def test_whoever_sees_less_reads_less_on_page_and_in_file(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        things = create_things(work, cast.demo)
    vera = client_as("vera")
    file = vera.post(EXPORT).text
    for text in (vera.get(PAGE).text, vera.get(f"{PAGE}?q=chief").text, file):
        assert "Chief" not in text.replace('value="chief"', "")
        assert "Law suit" not in text
    assert f"/contacts/{things.contact}" in vera.get(PAGE).text
    assert "Jana Malá" in file
    assert "Law suit" in client_as("anna").post(EXPORT).text


@pytest.mark.parametrize("name", ["boris", "vera"])
def test_without_the_permission_there_is_neither_page_nor_file(client_as: ClientAs, work_as: WorkAs, name: str) -> None:
    client = client_as(name)
    assert client.get(PAGE).status_code == 403
    assert client.post(EXPORT).status_code == 403
    assert PAGE not in client.get("/settings/").text
    with work_as("system") as work:
        noted = select(func.count()).select_from(Change).where(Change.subject_kind == "audit_log")
        assert work.session.scalar(noted) == 0


def test_the_file_has_a_line_for_each_field_and_the_log_notes_it(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("boris") as work:
        draft = ContactDraft(name="Ctirad Tkáč", job_title="Buyer", database_id=cast.demo.open_database)
        contact = create_contact(work, draft)
    anna = client_as("anna")
    answer = anna.post(EXPORT, data={"q": "tkac", "kind": "contact"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = table_of(answer)
    assert {line[6]: line[8] for line in lines} == {
        "Name": "Ctirad Tkáč",
        "Job title": "Buyer",
        "Database": "Customers",
    }
    assert {tuple(line[1:6]) for line in lines} == {
        ("Boris Nováková", "in the browser", "Contact", "Ctirad Tkáč", "Created")
    }
    assert "Audit log" in anna.get(f"{PAGE}?kind=audit_log").text
    with work_as("system") as work:
        noted = work.session.scalars(select(Change).where(Change.subject_kind == "audit_log")).one()
        assert noted.user_id == cast.demo.users["anna"]
        assert noted.fields["text"] == [None, "tkac"]
        exported = select(ReadEvent.subject_ids).where(ReadEvent.how == "export", ReadEvent.subject_kind == "contact")
        assert [contact] in work.session.scalars(exported).all()


def test_a_long_file_comes_step_by_step_and_whole(
    client_as: ClientAs, work_as: WorkAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "EXPORT_STEP", 7)
    with work_as("anna") as work:
        for number in range(30):
            create_user_group(work, f"Group {number}")
    answer = client_as("anna").post(EXPORT, data={"kind": "user_group", "q": "Group"}, buffered=False)
    assert answer.is_streamed
    names = [line[8] for line in table_of(answer) if line[6] == "Name" and line[8].startswith("Group ")]
    assert names == [f"Group {number}" for number in reversed(range(30))]
    answer.close()


@pytest.mark.attack(37)
@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_a_formula_is_text_in_the_file(client_as: ClientAs, work_as: WorkAs, cast: Cast, begin: str) -> None:
    assert harmless(f"{begin}1+1") == f"'{begin}1+1"
    assert harmless("Jana = Eva") == "Jana = Eva"
    assert (
        next(iter(csv_lines([[f"{begin}1", 'a"b']]))).decode()
        == next(iter(csv_lines([[f"'{begin}1", 'a"b']]))).decode()
    )
    with work_as("boris") as work:
        note = f"{begin}HYPERLINK(0)"
        create_contact(work, ContactDraft(name="Ctirad Tkáč", note=note, database_id=cast.demo.open_database))
    lines = table_of(client_as("anna").post(EXPORT, data={"kind": "contact", "q": "tkac"}))
    assert next(line[8] for line in lines if line[6] == "Note").startswith("'") or begin in {"\t", "\r", " ="}
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_file_speaks_the_readers_language(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    anna.post("/preferences/language", data={"locale": "cs"})
    with work_as("anna") as work:
        create_user_group(work, "Night shift")
    answer = anna.post(EXPORT, data={"kind": "user_group", "q": "Night shift"})
    assert "Skupina uživatelů" in answer.data.decode()
    assert "Vytvořeno" in answer.data.decode()
