"""The lines of ``test_routes`` for the company's settings and the audit log."""

from collections.abc import Mapping
from typing import Final

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
    ("GET", "/settings/audit/", (200, 403, 403, 200, 303)),
    ("POST", "/settings/audit/export", (200, 403, 403, 200, 303)),
    ("GET", "/settings/", (200, 200, 403, 200, 303), {}, "?q=phone"),
    ("GET", "/settings/permission-groups/", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/compare", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/new", (200, 403, 403, 200, 303)),
    ("GET", "/settings/permission-groups/<int:group_id>", (200, 403, 403, 404, 303)),
    ("GET", "/settings/permission-groups/<int:group_id>/edit", (200, 403, 403, 404, 303)),
    ("POST", "/settings/permission-groups/<int:group_id>/delete", (303, 403, 403, 404, 303)),
)
