"""The contact pages."""

from tests.conftest import ClientAs


def test_smoke(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert boris.get("/contacts/").status_code == 200
    answer = boris.get("/contacts/new")
    assert answer.status_code == 200, answer.text
    answer = boris.post(
        "/contacts/new",
        data={
            "name": "Jana <b>",
            "phones-0-number": "601 234 567",
            "phones-0-label": "mobile",
            "emails-0-address": "jana@acme.example",
        },
    )
    assert answer.status_code == 303, answer.text
    url = answer.headers["Location"]
    for tab in ("activities", "tickets", "history"):
        answer = boris.get(url + "?tab=" + tab)
        assert answer.status_code == 200, answer.text
    assert boris.get(url + "/edit").status_code == 200
    print(answer.text[3000:])
    answer = boris.post(
        "/companies/new",
        data={
            "name": "Acme",
            "phones-0-number": "601 234 567",
            "phones-0-label": "mobile",
            "emails-0-address": "jana@acme.example",
        },
    )
    assert answer.status_code == 303, answer.text
    url = answer.headers["Location"]
    for tab in ("activities", "tickets", "history", "contacts"):
        answer = boris.get(url + "?tab=" + tab)
        assert answer.status_code == 200, answer.text
    assert boris.get(url + "/edit").status_code == 200
    assert boris.get("/companies/").status_code == 200
    assert boris.get("/search?q=jan").status_code == 200
    assert boris.get("/companies/choices?q=acm").json[0]["name"] == "Acme"
