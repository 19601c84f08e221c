"""The pages of users: the list, creating somebody, a user's page and form."""

import re

import pytest
from sqlalchemy import func, select

from core.calls.models import Device, PhoneLine
from core.calls.spare import release_device
from core.foundation.permissions import Permission
from core.identity.models import PermissionGrant, UserAccount
from core.identity.passwords import password_matches
from core.mail.models import OutboundMail
from core.people.accounts import add_person
from core.people.leaving import block_person
from core.people.queries import person
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.colleagues import NEW_PASSWORD, account, draft, group_called, user_group_called
from tests.support.fingerprint import fingerprint
from tests.support.statements import counted_statements
from tests.support.telephony import set_up

ROW = re.compile(r'<tr data-row id="user-(\d+)">')
PASSWORD = {"way": "password", "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


def form(work_as: WorkAs, **values: object) -> dict[str, object]:
    """What the form of a new user posts: Eva, who is invited."""
    with work_as("system") as work:
        agents = group_called(work, "Agents")
    first = {
        "name": "Eva Malá", "email": "eva@demo.localhost", "way": "invitation", "kind": "call_centre", "locale": "en",
        "permission_group_id": agents, "number": "230", "account": "",
    }  # fmt: skip
    return {**first, **values}


def user_called(work_as: WorkAs, name: str) -> UserAccount:
    """Somebody's account."""
    with work_as("system") as work:
        return work.session.scalars(select(UserAccount).where(UserAccount.name == name)).one()


# The list


@pytest.mark.covers("TC-29", "TC-30")
def test_the_list_shows_everybody_with_state_kind_line_and_what_can_be_done(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
        add_person(work, draft(work, kind="back_office"))
        block_person(work, cast.demo.users["vera"])
    page = client_as("anna").get("/people/").text
    assert len(ROW.findall(page)) == 4
    for words in ("Anna Nováková", "eva@demo.localhost", "Invited", "Blocked", "Back office", "Call centre", "101"):
        assert words in page
    boris = cast.demo.users["boris"]
    for address in (f"/people/{boris}/edit", f"/people/{boris}?ask=block", f"/people/{boris}?ask=delete"):
        assert f'href="{address}"' in page
    assert "needs no licence for calls" in client_as("anna").get("/people/?kind=back_office").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=BORIS", ["boris"]),
        ("?q=novakova", ["anna", "boris", "vera"]),
        ("?q=vera@demo", ["vera"]),
        ("?q=101", ["boris"]),
        ("?q=100%25", []),
        ("?q=zz%00z", []),
        ("?state=blocked", ["vera"]),
        ("?state=active", ["anna", "boris"]),
        ("?state=invited", []),
        ("?kind=call_centre", ["anna", "boris", "vera"]),
        ("?kind=back_office", []),
        ("?state=nonsense&kind=nonsense", ["anna", "boris", "vera"]),
        ("?after=999999999999", []),
    ],
)
def test_the_list_is_searched_and_narrowed(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, query: str, found: list[str]
) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
        block_person(work, cast.demo.users["vera"])
    page = client_as("anna").get(f"/people/{query}")
    assert page.status_code == 200
    assert [int(user_id) for user_id in ROW.findall(page.text)] == [cast.demo.users[name] for name in found]


def test_the_list_costs_the_same_for_one_and_for_sixty(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    anna = client_as("anna")
    with counted_statements() as few:
        anna.get("/people/")
    with work_as("anna") as work:
        for place in range(60):
            add_person(work, draft(work, name=f"Agent {place:02}", email=f"agent{place}@demo.localhost", way="none"))
    with counted_statements() as many:
        page = anna.get("/people/").text
    assert len(many) == len(few)
    assert len(ROW.findall(page)) == 50
    following = re.search(r'href="(/people/\?[^"]*after=\d+)"', page)
    assert following
    assert len(ROW.findall(anna.get(following[1]).text)) == 13


# Creating


@pytest.mark.covers("TC-19", "TC-20", "TC-27")
def test_somebody_is_invited_from_the_form(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    assert 'value="invitation" checked' in anna.get("/people/new").text
    answer = anna.post("/people/new", data=form(work_as, business_number="601 234 567"))
    assert answer.status_code == 303
    page = anna.get(answer.location).text
    for words in ("Eva Malá", "Invited", "The invitation works until", "601 234 567", "230"):
        assert words in page
    with work_as("system") as work:
        mail = work.session.scalars(select(OutboundMail).order_by(OutboundMail.id.desc())).first()
        assert mail is not None
        assert mail.envelope_to == ["eva@demo.localhost"]


@pytest.mark.covers("TC-20", "TC-26")
def test_somebody_gets_a_password_that_is_explained_and_signs_in_with_it(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    page = anna.get("/people/new").text
    assert "data-password-rules" in page
    assert "A special character, such as" in page
    weak = anna.post("/people/new", data=form(work_as, **{**PASSWORD, "password": "weak"}))
    assert weak.status_code == 422
    assert "Use at least 8 characters" in weak.text
    assert 'value="Eva Malá"' in weak.text
    assert 'value="weak"' not in weak.text
    assert anna.post("/people/new", data=form(work_as, **PASSWORD)).status_code == 303
    nobody = client_as("nobody")
    signed = nobody.post("/sign-in", data={"email": "eva@demo.localhost", "password": NEW_PASSWORD})
    assert signed.status_code == 303


@pytest.mark.covers("TC-21", "TC-22", "TC-23", "TC-24", "D-FAQ-2")
def test_a_new_user_has_a_line_and_a_sip_account_with_its_own_password(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
    anna = client_as("anna")
    page = anna.get("/people/new").text
    assert 'value="104"' in page
    assert '<option value="+420224811101">' in page
    answer = anna.post("/people/new", data=form(work_as, **PASSWORD, account="new", caller_id="+420224811101"))
    shown = anna.get(answer.location)
    found = re.search(r'id="sip-password"[^>]*>([^<]*)</textarea>', shown.text)
    assert found
    with work_as("system") as work:
        eva = work.session.scalars(select(UserAccount).where(UserAccount.email == "eva@demo.localhost")).one()
        line = work.session.scalars(select(PhoneLine).where(PhoneLine.user_id == eva.id)).one()
        assert (line.number, line.caller_id) == ("230", "+420224811101")
        assert work.session.scalar(select(func.count(Device.id)).where(Device.line_id == line.id)) == 1
        assert not password_matches(found[1], eva.password_hash)
    assert anna.get(answer.location).status_code == 410


@pytest.mark.covers("TC-21")
def test_a_sip_account_that_nobody_has_is_chosen_from_a_list(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        spare = set_up(work, cast.demo).phones["103"].id
        release_device(work, spare)
    anna = client_as("anna")
    assert f'<option value="{spare}">' in anna.get("/people/new").text
    assert anna.post("/people/new", data=form(work_as, account=str(spare))).status_code == 303
    with work_as("system") as work:
        line_id = work.session.get_one(Device, spare, populate_existing=True).line_id
        assert work.session.get_one(PhoneLine, line_id).number == "230"


@pytest.mark.covers("D-FAQ-16")
def test_a_phone_in_the_warehouse_is_a_user_without_a_sign_in(client_as: ClientAs, work_as: WorkAs) -> None:
    values = form(work_as, name="Warehouse", email="", way="none", kind="back_office", account="new")
    anna = client_as("anna")
    assert anna.post("/people/new", data=values).status_code == 303
    page = anna.get(f"/people/{user_called(work_as, 'Warehouse').id}").text
    assert "No sign-in" in page
    assert "users.invalid" not in page + anna.get("/people/").text
    assert "Send an invitation" not in page


def test_mistakes_stand_at_their_fields_and_what_was_typed_stays(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
        board = user_group_called(work, "Board")
    wrong = form(
        work_as, email="boris@demo.localhost", number="101", permission_group_id="", sms_sender="a b", groups=board
    )
    answer = client_as("anna").post("/people/new", data=wrong)
    assert answer.status_code == 422
    for words in (
        "Boris Nováková signs in with this e-mail already.",
        "This is the line of Boris Nováková.",
        "Choose a permission group.",
        'value="boris@demo.localhost"',
        'value="Eva Malá"',
        'value="a b"',
        f'value="{board}" checked',
    ):
        assert words in answer.text
    assert answer.text.count('aria-invalid="true"') >= 4
    with work_as("system") as work:
        assert work.session.scalar(select(func.count(UserAccount.id))) == 3


@pytest.mark.attack(2, 28)
@pytest.mark.parametrize("field", ["permission_group_id", "groups", "account", "caller_id"])
def test_an_id_of_another_company_is_refused_in_every_field(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, field: str
) -> None:
    with work_as("other system") as work:
        theirs = set_up(work, cast.other, number="+420224811999")
        release_device(work, theirs.phones["103"].id)
        foreign = {
            "permission_group_id": group_called(work, "Agents"),
            "groups": user_group_called(work, "Board"),
            "account": theirs.phones["103"].id,
            "caller_id": "+420224811999",
        }[field]
    anna, vera = client_as("anna"), cast.demo.users["vera"]
    values = form(work_as, tenant_id=cast.other.tenant_id, is_owner="1", is_blocked="1")
    before = fingerprint(cast)
    assert anna.post("/people/new", data={**values, field: foreign}).status_code == 422
    assert anna.post(f"/people/{vera}/edit", data={**values, field: foreign}).status_code == 422
    assert fingerprint(cast) == before


# A user's page and form


@pytest.mark.covers("TC-28")
def test_a_page_says_what_somebody_may_do_and_see_and_why(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    anna, vera = client_as("anna"), cast.demo.users["vera"]
    with work_as("system") as work:
        board, readers = user_group_called(work, "Board"), group_called(work, "Readers")
    values = form(
        work_as, name="Vera Nováková", email="vera@demo.localhost", number="", permission_group_id=readers,
        groups=board,
    )  # fmt: skip
    assert anna.post(f"/people/{vera}/edit", data=values).status_code == 303
    page = anna.get(f"/people/{vera}").text
    for words in ("Readers", "See contacts", "Opens the list of contacts", "through Board", "everyone in the company"):
        assert words in page
    assert "Write e-mails" not in page
    own = anna.get(f"/people/{cast.demo.users['anna']}").text
    assert "Everything, as an owner" in own


@pytest.mark.covers("TC-34")
def test_somebody_is_edited_and_the_history_shows_before_and_after(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna, vera = client_as("anna"), cast.demo.users["vera"]
    page = anna.get(f"/people/{vera}/edit").text
    assert 'value="vera@demo.localhost"' in page
    values = form(work_as, name="Věra Dlouhá", email="vera@demo.localhost", sms_sender="DEMO24", number="")
    assert anna.post(f"/people/{vera}/edit", data=values).status_code == 303
    with work_as("anna") as work:
        assert (person(work, vera).row.name, person(work, vera).sms_sender) == ("Věra Dlouhá", "DEMO24")
    history = anna.get(f"/people/{vera}?tab=history").text
    assert "<del>Vera Nováková</del>" in history
    assert "<ins>Věra Dlouhá</ins>" in history
    assert "<del>Readers</del>" in history


def test_the_last_owner_is_told_at_the_field_that_they_stay_one(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna = cast.demo.users["anna"]
    values = form(work_as, name="Anna Nováková", email="anna@demo.localhost", number="")
    answer = client_as("anna").post(f"/people/{anna}/edit", data=values)
    assert answer.status_code == 422
    assert "This is the last owner who can sign in. Make somebody else an owner first." in answer.text
    with work_as("system") as work:
        assert account(work, anna).permission_group_id == group_called(work, "Owners")


def test_whoever_may_only_look_finds_no_button(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        grant = PermissionGrant(
            permission_group_id=group_called(work, "Readers"), permission=Permission.PEOPLE_READ.value
        )
        work.session.add(grant)
    vera, boris = client_as("vera"), cast.demo.users["boris"]
    assert "/people/new" not in vera.get("/people/").text
    page = vera.get(f"/people/{boris}").text
    assert "What they may do" in page
    for address in ("/edit", "/block", "/delete", "/invite"):
        assert f"/people/{boris}{address}" not in page
    assert vera.get(f"/people/{boris}/edit").status_code == 403
