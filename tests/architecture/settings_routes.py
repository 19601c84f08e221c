"""The lines of ``test_routes`` for the company's settings, the audit log, notifications, one's own second factor."""

from collections.abc import Mapping
from typing import Final

from tests.support.cast import PASSWORD

Answers = tuple[int, int, int, int, int]
Line = (
    tuple[str, str, Answers]
    | tuple[str, str, Answers, Mapping[str, object]]
    | tuple[str, str, Answers, Mapping[str, object], str]
)

SETTINGS: Final[tuple[Line, ...]] = (
    ("GET", "/settings/company/", (200, 403, 403, 200, 303)),
    (
        "POST",
        "/settings/company/",
        (303, 403, 403, 303, 303),
        {"name": "Demo", "locale": "en", "country": "CZ", "time_zone": "Europe/Prague"},
    ),
    ("POST", "/settings/company/logo", (422, 403, 403, 422, 303)),
    ("POST", "/settings/company/logo/remove", (303, 403, 403, 303, 303)),
    ("GET", "/settings/company/hours", (200, 403, 403, 200, 303)),
    (
        "POST",
        "/settings/company/hours",
        (303, 403, 403, 303, 303),
        {"monday-0-opens": "8:30", "monday-0-closes": "17:00"},
    ),
    ("GET", "/settings/company/holidays", (200, 403, 403, 200, 303)),
    ("POST", "/settings/company/holidays", (303, 403, 403, 303, 303), {"day": "2027-05-14", "name": "Trip"}),
    ("POST", "/settings/company/holidays/open", (303, 403, 403, 303, 303), {"day": "2027-01-01"}),
    ("POST", "/settings/company/holidays/forget", (303, 403, 403, 303, 303), {"day": "2027-01-01"}),
    ("GET", "/logo", (404, 404, 404, 404, 404)),
    ("GET", "/settings/second-factor/", (200, 403, 403, 200, 303)),
    ("POST", "/settings/second-factor/", (303, 403, 403, 303, 303), {"second_factor": "required"}),
    ("GET", "/security/passkeys/new", (200, 200, 200, 200, 303)),
    ("POST", "/security/passkeys/new", (303, 303, 303, 303, 303), {"current_password": PASSWORD}),
    ("GET", "/security/passkeys/create", (303, 303, 303, 303, 303)),
    ("POST", "/security/passkeys/create", (303, 303, 303, 303, 303), {"name": "Phone"}),
    ("GET", "/security/passkeys/<int:passkey_id>/rename", (404, 404, 404, 404, 303)),
    ("POST", "/security/passkeys/<int:passkey_id>/rename", (404, 404, 404, 404, 303), {"name": "Phone"}),
    ("GET", "/security/passkeys/<int:passkey_id>/delete", (404, 404, 404, 404, 303)),
    ("POST", "/security/passkeys/<int:passkey_id>/delete", (404, 404, 404, 404, 303), {"current_password": PASSWORD}),
    ("GET", "/security/second-factor/", (200, 200, 200, 200, 303)),
    ("POST", "/security/second-factor/", (303, 303, 303, 303, 303), {"current_password": PASSWORD}),
    ("GET", "/security/second-factor/app", (303, 303, 303, 303, 303)),
    ("POST", "/security/second-factor/app", (303, 303, 303, 303, 303), {"code": "123456"}),
    ("GET", "/security/second-factor/codes", (410, 410, 410, 410, 303)),
    ("GET", "/security/second-factor/codes/new", (303, 303, 303, 303, 303)),
    ("POST", "/security/second-factor/codes/new", (303, 303, 303, 303, 303), {"current_password": PASSWORD}),
    ("GET", "/security/second-factor/off", (303, 303, 303, 303, 303)),
    ("POST", "/security/second-factor/off", (303, 303, 303, 303, 303), {"current_password": PASSWORD}),
    ("GET", "/settings/sign-in/", (200, 403, 403, 200, 303)),
    ("GET", "/settings/sign-in/new", (200, 403, 403, 200, 303)),
    (
        "POST",
        "/settings/sign-in/new",
        (303, 403, 403, 303, 303),
        {
            "name": "Google",
            "client_id": "centrala",
            "client_secret": "secret",
            "domains": "demo.localhost",
            "counts_as_factor": 1,
        },
        "?kind=google",
    ),
    ("GET", "/settings/sign-in/<int:provider_id>/edit", (200, 403, 403, 404, 303)),
    (
        "POST",
        "/settings/sign-in/<int:provider_id>/edit",
        (303, 403, 403, 404, 303),
        {"name": "Accounts", "client_id": "centrala", "domains": "demo.localhost"},
    ),
    ("POST", "/settings/sign-in/<int:provider_id>/remove", (303, 403, 403, 404, 303)),
    ("POST", "/settings/sign-in/<int:provider_id>/test", (303, 403, 403, 404, 303)),
    ("POST", "/security/linked/<int:link_id>/remove", (303, 404, 404, 404, 303)),
    ("GET", "/settings/audit/", (200, 403, 403, 200, 303)),
    ("POST", "/settings/audit/export", (200, 403, 403, 200, 303)),
    ("GET", "/settings/", (200, 200, 403, 200, 303), {}, "?q=phone"),
    ("GET", "/settings/permission-groups/", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/compare", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/new", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/<int:group_id>", (200, 403, 403, 404, 303)),
    ("POST", "/settings/permission-groups/<int:group_id>/view", (303, 403, 403, 404, 303)),
    ("POST", "/view-as/end", (303, 303, 303, 303, 303)),
    ("GET", "/settings/permission-groups/<int:group_id>/edit", (200, 403, 403, 404, 303)),
    ("POST", "/settings/permission-groups/<int:group_id>/delete", (303, 403, 403, 404, 303)),
)

BROWSER: Final = {
    "endpoint": "https://push.example/boris",
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""The keys of RFC 8291, 5."""

NOTIFICATIONS: Final[tuple[Line, ...]] = (
    ("GET", "/notifications/", (200, 200, 200, 200, 303)),
    ("GET", "/notifications/bell", (200, 200, 200, 200, 303)),
    ("GET", "/notifications/latest", (200, 200, 200, 200, 303)),
    ("GET", "/notifications/<int:notification_id>", (303, 404, 404, 404, 303)),
    ("POST", "/notifications/<int:notification_id>/read", (303, 404, 404, 404, 303)),
    ("POST", "/notifications/read-all", (303, 303, 303, 303, 303)),
    ("GET", "/notifications/settings", (200, 200, 200, 200, 303)),
    (
        "POST",
        "/notifications/settings",
        (303, 303, 303, 303, 303),
        {"kind": "new_browser", "chosen": "new_browser:app"},
    ),
    ("POST", "/notifications/push", (303, 303, 303, 303, 303), BROWSER),
    ("POST", "/notifications/push/<int:subscription_id>/remove", (303, 404, 404, 404, 303)),
    ("GET", "/service-worker.js", (200, 200, 200, 200, 200)),
)
