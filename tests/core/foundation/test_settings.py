"""An environment that cannot be used is refused, and the message says which names are at fault."""

import pytest

from core.foundation.settings import SettingsError, load_settings

RIGHT = {
    "DATABASE_URL": "postgresql://centrala_app:pw@127.0.0.1:5432/centrala",
    "CENTRALA_OWNER_DATABASE_URL": "postgresql://centrala_owner:pw@127.0.0.1:5432/centrala",
    "CENTRALA_RELAY_DATABASE_URL": "postgresql://centrala_relay:pw@127.0.0.1:5432/centrala",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CENTRALA_SECRET_KEY": "x" * 32,
    "CENTRALA_BLOB_URL": "file:///srv/centrala/blobs",
    "CENTRALA_KEY_STORE_URL": "file:///srv/keys",
}


def test_the_defaults_need_nothing_else() -> None:
    found = load_settings(RIGHT)
    assert (found.base_domain, found.web_port, found.smtp_port, found.secure_cookies) == (
        "localhost",
        8080,
        2525,
        False,
    )


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_form_of_a_database_url_is_taken(scheme: str) -> None:
    found = load_settings({**RIGHT, "DATABASE_URL": f"{scheme}://centrala_app:p%40w@db.example/centrala"})
    assert found.database_url == "postgresql+psycopg://centrala_app:p%40w@db.example/centrala"


@pytest.mark.parametrize("missing", list(RIGHT))
def test_a_missing_setting_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=f"missing settings: {missing}$"):
        load_settings({name: value for name, value in RIGHT.items() if name != missing})


def test_unknown_names_are_named_all_at_once() -> None:
    with pytest.raises(SettingsError, match="CENTRALA_SMTPPORT, CENTRALA_WEBPORT"):
        load_settings({**RIGHT, "CENTRALA_WEBPORT": "1", "CENTRALA_SMTPPORT": "2"})


def test_names_of_other_programs_are_none_of_ours() -> None:
    assert load_settings({**RIGHT, "HOME": "/home/jana", "CENTRALA_VENV": "/srv/venv"}).web_port == 8080


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CENTRALA_WEB_PORT", "http"),
        ("CENTRALA_WEB_PORT", "65536"),
        ("CENTRALA_WEB_PORT", "-1"),
        ("CENTRALA_WEB_PORT", "0"),
        ("CENTRALA_SMTP_PORT", ""),
        ("CENTRALA_SMTP_PORT", "8080"),
        ("CENTRALA_SECURE_COOKIES", "yes"),
        ("CENTRALA_SECRET_KEY", "x" * 31),
        ("CENTRALA_BLOB_URL", "file:///srv/keys/"),
        ("CENTRALA_BLOB_URL", "/srv/blobs"),
        ("CENTRALA_KEY_STORE_URL", "keys"),
        ("CENTRALA_BASE_DOMAIN", ""),
        ("CENTRALA_BASE_DOMAIN", "http://crm.example"),
        ("CENTRALA_BASE_DOMAIN", "CRM.example"),
        ("CENTRALA_OUTGOING_SMTP_URL", "mail.example:25"),
        ("CENTRALA_OUTGOING_SMTP_URL", "smtp://"),
        ("REDIS_URL", "http://queue.example"),
        ("DATABASE_URL", "mysql://centrala_app@db.example/centrala"),
        ("DATABASE_URL", "centrala"),
        ("DATABASE_URL", "postgresql://centrala_owner:pw@127.0.0.1/centrala"),
        ("CENTRALA_RELAY_DATABASE_URL", "postgresql://centrala_app:pw@127.0.0.1/centrala"),
        ("CENTRALA_KAMAILIO_DATABASE_URL", "postgresql://centrala_app:pw@127.0.0.1/centrala"),
        ("CENTRALA_SIP_PORT", "5061"),
        ("CENTRALA_SIP_EDGE_PORT", "0"),
        ("CENTRALA_GATEWAY_PORT", "5066"),
        ("CENTRALA_GATEWAY_WORKERS", "0"),
        ("CENTRALA_GATEWAY_WORKERS", "17"),
        ("CENTRALA_RTP_PORT", "64000"),
        ("CENTRALA_SIP_HOST", "::"),
        ("CENTRALA_SIP_HOST", "phones.example"),
        ("CENTRALA_SIP_CERTIFICATE", "/etc/ssl/sip.pem"),
        ("CENTRALA_SIP_REQUESTS_PER_SECOND", "0"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_under_its_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings({**RIGHT, variable: value})


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "CENTRALA_SECRET_KEY", "CENTRALA_OUTGOING_SMTP_URL"])
def test_no_message_repeats_a_value_that_may_hold_a_password(variable: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({**RIGHT, variable: "wrong://me:hunter2@h"})
    assert "hunter2" not in str(refused.value)
