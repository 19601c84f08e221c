"""Creating, inviting and changing people, and who may do it to whom."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.calls.models import Device, PhoneLine
from core.calls.spare import release_device, spare_devices
from core.foundation import clock
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind, link_holder, make_link
from core.identity.naming import shown_address
from core.identity.passwords import password_matches
from core.identity.user_groups import groups_of_user
from core.mail.models import OutboundMail
from core.people.accounts import add_person, change_person
from core.people.invitations import send_invitation, withdraw_invitation
from core.people.leaving import block_person
from core.people.queries import PeopleFilter, history_of, people, person
from core.people.telephony import LineDraft
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.colleagues import (
    NEW_PASSWORD,
    account,
    changes,
    draft,
    group_called,
    user_group_called,
)
from tests.support.recorded import recorded_call
from tests.support.telephony import call_from_line, set_up


def problems(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    """The problems by their fields."""
    return {field: str(message) for field, message in error.value.problems.items()}


def vera_as_stored(work: Work, cast: Cast) -> dict[str, Any]:
    """What the form posts of Vera unchanged."""
    found = person(work, cast.demo.users["vera"])
    return {
        "email": found.row.email,
        "name": found.row.name,
        "permission_group_id": found.row.permission_group_id,
        "groups": tuple(found.group_ids),
        "way": "",
    }


# Creating


def test_somebody_is_created_with_everything(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
        board = user_group_called(work, "Board")
        wanted = draft(
            work,
            email=" Eva@Demo.localhost ",
            business_number="601 234 567",
            kind="back_office",
            sms_sender="DEMO24",
            groups=(board,),
            way="password",
            password=NEW_PASSWORD,
            password_again=NEW_PASSWORD,
            locale="cs",
        )
        added = add_person(work, wanted, LineDraft(number="230", caller_id="224 811 101", account="new"))
        found = person(work, added.user_id)
        assert (found.row.email, found.row.kind, found.row.state) == ("eva@demo.localhost", "back_office", "active")
        assert (found.row.business_number, found.sms_sender, found.locale) == ("+420601234567", "DEMO24", "cs")
        assert (found.row.line_number, found.caller_id) == ("230", "+420224811101")
        assert list(found.row.user_groups) == ["Board"]
        assert password_matches(NEW_PASSWORD, account(work, added.user_id).password_hash)
        assert changes(work, added.user_id)[0]["kind"] == [None, "back_office"]
        assert NEW_PASSWORD not in str(changes(work, added.user_id))


def test_a_new_sip_account_has_a_password_of_its_own(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        added = add_person(work, draft(work), LineDraft(number="230", account="new"))
        assert added.device is not None
        assert added.device.password
        device = work.session.get_one(Device, added.device.id)
        assert device.sip_username.startswith("230-")
        assert not password_matches(added.device.password, account(work, added.user_id).password_hash)


def test_a_spare_sip_account_passes_to_somebody_new_with_its_password(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
        spare = telephony.phones["101"].id
        before = work.session.get_one(Device, spare).ha1
        release_device(work, spare)
        assert [device.id for device in spare_devices(work)] == [spare]
        added = add_person(work, draft(work), LineDraft(number="230", account=str(spare)))
        device = work.session.get_one(Device, spare)
        line = work.session.get_one(PhoneLine, device.line_id)
        assert (line.user_id, device.ha1) == (added.user_id, before)
        assert spare_devices(work) == []
        with pytest.raises(Invalid) as error:
            add_person(work, draft(work, email="x@demo.localhost"), LineDraft(number="231", account=str(spare)))
        assert "account" in problems(error)


def test_every_mistake_is_told_at_its_field_and_says_whose_it_is(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        set_up(work, cast.demo)
        wanted = draft(
            work,
            email="boris@demo.localhost",
            name=" ",
            permission_group_id=None,
            kind="robot",
            business_number="12",
            sms_sender="two words here",
            locale="xx",
            way="password",
            password="short",
            groups=(2**40,),
        )
        with pytest.raises(Invalid) as error:
            add_person(work, wanted, LineDraft(number="101", caller_id="+420777000111", account="999999"))
        found = problems(error)
    assert found.keys() == {
        "email", "name", "permission_group_id", "kind", "business_number", "sms_sender", "locale", "password",
        "groups", "number", "caller_id", "account",
    }  # fmt: skip
    assert found["email"] == "Boris Nováková signs in with this e-mail already."
    assert found["number"] == "This is the line of Boris Nováková."


@pytest.mark.parametrize("password", ["Short-1", "no-upper-1", "NO-LOWER-1", "No-digit-x", "NoSpecial1x"])
def test_a_password_meets_every_rule_and_is_typed_twice(work_as: WorkAs, password: str) -> None:
    with work_as("anna") as work:
        with pytest.raises(Invalid) as error:
            add_person(work, draft(work, way="password", password=password, password_again=password))
        assert problems(error).keys() == {"password"}
        with pytest.raises(Invalid) as error:
            add_person(work, draft(work, way="password", password=NEW_PASSWORD, password_again="Other-1-password!"))
        assert problems(error).keys() == {"password_again"}


def test_a_call_centre_user_needs_a_line_and_a_back_office_user_does_not(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        with pytest.raises(Invalid) as error:
            add_person(work, draft(work), LineDraft())
        assert problems(error).keys() == {"number"}
        add_person(work, draft(work, kind="back_office"), LineDraft())


def test_a_phone_in_the_warehouse_needs_no_address(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        for name, number in (("Warehouse", "301"), ("Accounting", "302")):
            wanted = draft(work, name=name, email="", kind="back_office", way="none")
            added = add_person(work, wanted, LineDraft(number=number, account="new"))
            found = person(work, added.user_id)
            assert (found.row.email, found.row.state, found.row.line_number) == ("", "no_sign_in", number)
            assert shown_address(account(work, added.user_id).email) == ""
            with pytest.raises(Conflict, match="no e-mail address"):
                send_invitation(work, added.user_id)
        assert people(work, PeopleFilter(text="users.invalid")).rows == []


# Inviting


def test_an_invitation_is_sent_in_the_persons_language(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        added = add_person(work, draft(work, locale="cs"))
        assert person(work, added.user_id).row.state == "invited"
        mail = work.session.scalars(select(OutboundMail).order_by(OutboundMail.id.desc())).first()
        assert mail is not None
        assert mail.envelope_to == ["eva@demo.localhost"]
        assert mail.subject == "Demo vás zve do Centraly"


def test_who_has_a_password_or_is_blocked_is_not_invited(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        with pytest.raises(Conflict, match="has a password already"):
            send_invitation(work, cast.demo.users["vera"])
        block_person(work, cast.demo.users["vera"])
        with pytest.raises(Conflict, match="is blocked"):
            send_invitation(work, cast.demo.users["vera"])


def test_an_invitation_ends_by_itself_by_withdrawal_and_with_another_address(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        user_id = add_person(work, draft(work)).user_id
        clock.hold(clock.now() + timedelta(days=8))
        assert person(work, user_id).row.state == "no_sign_in"
        send_invitation(work, user_id)
        assert person(work, user_id).row.state == "invited"
        withdraw_invitation(work, user_id)
        assert person(work, user_id).row.state == "no_sign_in"
        with pytest.raises(Conflict, match="No invitation is open"):
            withdraw_invitation(work, user_id)
        token = make_link(work, LinkKind.INVITATION, user_id)
        change_person(work, user_id, draft(work, email="eva.new@demo.localhost"))
        with pytest.raises(NotFound):
            link_holder(work, LinkKind.INVITATION, token)


# Changing


def test_a_change_is_stored_and_written_down_with_before_and_after(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        vera, agents, board = cast.demo.users["vera"], group_called(work, "Agents"), user_group_called(work, "Board")
        stored = vera_as_stored(work, cast)
        change_person(
            work, vera, draft(work, **{**stored, "name": "Věra", "permission_group_id": agents, "groups": (board,)})
        )
        found = person(work, vera)
        assert (found.row.name, found.row.permission_group) == ("Věra", "Agents")
        position = user_group_called(work, "Position")
        assert groups_of_user(work, vera) == {board, position}
        told = changes(work, vera)[-1]
        assert told["name"] == ["Vera Nováková", "Věra"]
        assert told["permission_group_id"] == [stored["permission_group_id"], agents]
        assert told["groups"] == [[position], sorted([board, position])]
        newest = {field: (before, after) for field, before, after in history_of(work, vera)[0].fields}
        assert newest["permission_group_id"] == (["Readers"], ["Agents"])


def test_a_new_password_signs_out_everywhere(work_as: WorkAs, cast: Cast, client_as: ClientAs) -> None:
    vera = client_as("vera")
    assert vera.get("/contacts/").status_code == 200
    with work_as("anna") as work:
        user_id = cast.demo.users["vera"]
        again = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
        change_person(work, user_id, draft(work, **vera_as_stored(work, cast), **again))
        assert password_matches(NEW_PASSWORD, account(work, user_id).password_hash)
    assert vera.get("/contacts/").status_code == 303


def test_a_lines_number_stays_while_it_is_in_a_call(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
        call_from_line(work, telephony, "103", line="101")
        with pytest.raises(Invalid) as error:
            change_person(
                work, cast.demo.users["vera"], draft(work, **vera_as_stored(work, cast)), LineDraft(number="230")
            )
        assert problems(error)["number"] == "Line 103 is in a call. Change it when the call is over."
        change_person(work, cast.demo.users["vera"], draft(work, **vera_as_stored(work, cast)), LineDraft(number="103"))


def test_a_line_is_changed_after_its_calls(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
        recorded_call(work, telephony)
        change_person(work, cast.demo.users["vera"], draft(work, **vera_as_stored(work, cast)), LineDraft(number="230"))
        assert person(work, cast.demo.users["vera"]).row.line_number == "230"
        with pytest.raises(Invalid) as error:
            change_person(work, cast.demo.users["vera"], draft(work, **vera_as_stored(work, cast)), LineDraft())
        assert problems(error).keys() == {"number"}
