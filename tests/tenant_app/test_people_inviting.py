"""The page that invites several people."""

import io

from sqlalchemy import func, select

from core.identity.models import UserAccount
from core.mail.models import OutboundMail
from tests.conftest import ClientAs, WorkAs
from tests.support.colleagues import group_called

TABLE = "name;email;line\nEva Malá;eva@demo.localhost;230\nAdam;adam@;231\n<b>Zoe</b>;zoe@demo.localhost;232\n"


def agents(work_as: WorkAs) -> int:
    """The permission group of those whose row names none."""
    with work_as("system") as work:
        return group_called(work, "Agents")


def count(work_as: WorkAs, model: type[UserAccount] | type[OutboundMail]) -> int:
    """How many there are."""
    with work_as("system") as work:
        return work.session.scalar(select(func.count(model.id))) or 0


def test_a_table_is_looked_at_before_anybody_is_invited(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    data = {"table": TABLE, "permission_group_id": agents(work_as)}
    page = anna.post("/people/invite", data=data)
    assert page.status_code == 200
    for words in ("2 people can be invited", "1 row has a mistake", "Nobody was invited yet.", "Invite 2 people"):
        assert words in page.text
    assert "Enter an e-mail address" in page.text
    assert "<b>Zoe" not in page.text
    assert count(work_as, UserAccount) == 3


def test_the_good_ones_are_invited_and_the_rest_stays_to_be_mended(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, group = client_as("anna"), agents(work_as)
    page = anna.post("/people/invite", data={"table": TABLE, "permission_group_id": group, "go": "invite"})
    assert page.status_code == 200
    assert "2 people invited." in page.text
    assert "name;email;line\nAdam;adam@;231\n</textarea>" in page.text
    assert (count(work_as, UserAccount), count(work_as, OutboundMail)) == (5, 2)
    mended = {"table": "name;email;line\nAdam;adam@demo.localhost;231", "permission_group_id": group, "go": "invite"}
    done = anna.post("/people/invite", data=mended)
    assert (done.status_code, done.location) == (303, "/people/?state=invited")
    assert "adam@demo.localhost" in anna.get(done.location).text


def test_a_file_is_taken(client_as: ClientAs, work_as: WorkAs) -> None:
    file = (io.BytesIO(TABLE.encode("cp1250")), "people.csv")
    page = client_as("anna").post("/people/invite", data={"file": file, "permission_group_id": agents(work_as)})
    assert "Eva Malá" in page.text
    assert "2 people can be invited" in page.text


def test_what_is_no_table_stays_in_the_field(client_as: ClientAs) -> None:
    page = client_as("anna").post("/people/invite", data={"table": "just words"})
    assert page.status_code == 422
    assert "The first row must name the columns" in page.text
    assert "just words" in page.text
