"""A company is founded whole, or not at all."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from core.directory.models import ContactDatabase
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Invalid
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.founding.service import Founding
from core.identity.links import LinkKind, link_holder
from core.identity.models import PermissionGroup, UserAccount
from core.identity.recovery import choose_password
from core.tenants.models import Tenant
from core.tenants.service import tenant_of_host
from core.timeline.models import Activity
from deploy.local.company import Founded, found_company, main
from tests.support.cast import Cast
from tests.support.mails import letter, receive

WILLOW = Founding(
    name="Willow  Works", label="Willow", owner_email="Eva@Willow.example", owner_name="Eva Malá", locale="cs"
)
PASSWORD = "Willow-works-2026!"  # a test's


def found(founding: Founding = WILLOW) -> Founded:
    """Found it as the operator does."""
    engine = create_engine(settings().owner_database_url)
    try:
        return found_company(engine, founding)
    finally:
        engine.dispose()


def test_its_owner_chooses_a_password_by_the_link_and_may_do_everything(committed: Cast) -> None:
    founded = found()
    assert founded.url.startswith("http://willow.localhost")
    token = founded.welcome_url.rpartition("/")[2]
    with unit_of_work(system_actor(founded.tenant_id, door=Door.WEB)) as work:
        holder = link_holder(work, LinkKind.INVITATION, token)
        assert (holder.email, holder.name, holder.locale) == ("eva@willow.example", "Eva Malá", "cs")
        choose_password(work, LinkKind.INVITATION, token, PASSWORD, PASSWORD)
    with unit_of_work(system_actor(founded.tenant_id, door=Door.WEB)) as work:
        owner = work.session.scalars(select(UserAccount)).one()
        assert owner.password_hash is not None
        assert work.session.get_one(PermissionGroup, owner.permission_group_id).is_owner


def test_mails_arrive_there_at_once(committed: Cast) -> None:
    founded = found()
    assert founded.mail_address == "support@willow.localhost"
    activity_id = receive(letter(to=founded.mail_address), to=founded.mail_address)
    with unit_of_work(system_actor(founded.tenant_id, door=Door.WEB)) as work:
        assert work.session.get_one(Activity, activity_id).ticket_id is not None


def test_what_breaks_off_leaves_the_address_free(committed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("deploy.local.company.furnish_company", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            found()
    assert found().url.startswith("http://willow.localhost")


def test_its_first_things_are_named_in_its_language(committed: Cast) -> None:
    profile = tenant_of_host("willow.localhost")
    assert profile is None
    with unit_of_work(system_actor(found().tenant_id, door=Door.WEB)) as work:
        assert work.session.scalars(select(ContactDatabase.name)).all() == ["Kontakty"]
        assert work.session.scalars(select(PermissionGroup.name)).all() == ["Vlastníci"]
    profile = tenant_of_host("willow.localhost")
    assert profile
    assert (profile.name, profile.locale, profile.country) == ("Willow Works", "cs", "CZ")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " \u200b "}, "name"),
        ({"owner_name": "x" * 81}, "owner_name"),
        ({"label": "demo"}, "label"),
        ({"label": "-willow"}, "label"),
        ({"label": "willow.evil"}, "label"),
        ({"owner_email": "eva"}, "owner_email"),
        ({"locale": "de"}, "locale"),
        ({"country": "XX"}, "country"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_founded(
    committed: Cast, changed: Mapping[str, Any], field: str
) -> None:
    engine = create_engine(settings().owner_database_url)
    with pytest.raises(Invalid) as raised:
        found(dataclasses.replace(WILLOW, **changed))
    assert list(raised.value.problems) == [field]
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Tenant)) == 2
    engine.dispose()


def test_the_command_prints_the_way_in_or_the_reasons(committed: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Willow Works", "willow", "Eva Malá", "eva@willow.example", "--language", "pl"]) == 0
    printed = capsys.readouterr()
    assert "http://willow.localhost" in printed.out
    assert "/welcome/" in printed.out
    assert main(["Willow Works", "willow", "Eva Malá", "eva"]) == 1
    refused = capsys.readouterr()
    assert refused.out == ""
    assert refused.err.splitlines() == [
        "label: Another company has this address.",
        "owner_email: This is no e-mail address; write it as name@company.com.",
    ]
