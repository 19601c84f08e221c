"""What the code must look like, read from its syntax tree: transactions, wiring, sizes, templates."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from inspect import Parameter, isfunction, signature
from pathlib import Path
from typing import Any

import pytest

from core import wiring
from core.foundation.jobs import registered
from deploy.local.places import ROOT

PRODUCTS = {"tenant_app", "admin", "carddav", "telephony_gateway", "mobile_api"}
FOLDERS = {"core", "billing", "migrations", "tests", "deploy", "docs", *PRODUCTS}
SOURCES = sorted(
    path for folder in ("core", "carddav", "telephony_gateway", "tenant_app") for path in (ROOT / folder).rglob("*.py")
)
SOURCES = [path for path in SOURCES if "node_modules" not in path.parts]
TEMPLATES = sorted((ROOT / "tenant_app" / "templates").rglob("*.*"))
MOST_LINES = 400


def name_of(path: Path) -> str:
    """The path within the checkout."""
    return str(path.relative_to(ROOT))


# Transactions

ENTRY_POINTS = {
    "core/directory/books/visits.py",  # counts a synced client's failed sign-in
    "core/calls/jobs.py",
    "core/directory/jobs.py",
    "telephony_gateway/desk.py",
    "core/mail/jobs.py",
    "core/mail/filing.py",  # the body of the job mail.file
    "core/mail/intake.py",  # mail that the SMTP server hands in
    "core/notifications/jobs.py",
    "core/mail/sending.py",  # the body of the job mail.send, which commits before it talks to the network
    "core/tickets/jobs.py",
    "core/worker.py",
    "tenant_app/live/views.py",
    "tenant_app/pages.py",
    "tenant_app/phones/views.py",  # a phone that scanned a code has no session
    "tenant_app/proofs.py",  # a failed proof is counted, whatever becomes of the request
    "tenant_app/security.py",
    "tenant_app/sign_in/links.py",  # nobody is signed in
    "tenant_app/settings/audit/views.py",  # an export runs behind its request, in transactions of a step each
    "tenant_app/settings/openid/views.py",  # a test of a provider talks to the network in between
    "tenant_app/sign_in/openid.py",  # so does the way to a provider and back
    "tenant_app/settings/company/views.py",  # the logo stands on the sign-in page
    "tenant_app/sign_in/passkeys.py",  # nobody is signed in
    "tenant_app/sign_in/second_step.py",  # nobody is signed in
    "tenant_app/sign_in/views.py",
}
FOUNDATION = {"core/foundation/db.py", "core/foundation/unit_of_work.py"}
WHO_MAY_CALL = {
    "unit_of_work": ENTRY_POINTS,
    "outside_tenants": {
        "core/directory/books/visits.py",  # who a synced client is, is known only inside the transaction
        "core/mail/intake.py",
        "core/tenants/service.py",
    },
    "new_session": FOUNDATION,
    "Session": FOUNDATION,
    "sessionmaker": set(),
    "commit": set(),
    "rollback": {"tenant_app/pages.py"},
    "begin": {
        "core/foundation/unit_of_work.py",
        "core/worker.py",
        "telephony_gateway/exchange.py",  # a call, no transaction
    },
    "engine": FOUNDATION,
    "relay_engine": {"core/worker.py", *FOUNDATION},
    "create_engine": FOUNDATION,
    "joined_to": set(),
}


def calls(path: Path) -> Iterator[str]:
    """The names of everything that a module calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_entry_points_open_and_end_transactions(path: Path) -> None:
    wrong = {call for call in calls(path) if call in WHO_MAY_CALL and name_of(path) not in WHO_MAY_CALL[call]}
    assert wrong == set()


def test_no_exception_is_made_for_a_file_that_does_not_use_it() -> None:
    used = {(call, name_of(path)) for path in SOURCES for call in calls(path)}
    unused = [(call, file) for call, files in WHO_MAY_CALL.items() for file in files if (call, file) not in used]
    assert [pair for pair in unused if pair[1] not in FOUNDATION and (ROOT / pair[1]).exists()] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nobody_filters_by_tenant_by_hand(path: Path) -> None:
    """``tenant_id ==`` in a query hides a missing policy. The global tables have none, and so need it."""
    if name_of(path) in {"core/tenants/service.py", "core/mail/writing.py"}:
        return
    compared = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "tenant_id"
    ]
    assert compared == []


# Events and jobs


FEATURES = sorted(path for path in (ROOT / "core").iterdir() if path.is_dir() and path.name != "foundation")


def modules(kind: str) -> list[Any]:
    """The modules of this name in all features of core."""
    return [import_module(f"core.{path.name}.{kind}") for path in FEATURES if (path / f"{kind}.py").exists()]


def events() -> list[Any]:
    """Every event class of every feature."""
    return [
        found
        for module in modules("events")
        for found in vars(module).values()
        if isinstance(found, type) and found.__module__ == module.__name__
    ]


def test_every_event_is_wired_and_nothing_else_is() -> None:
    assert set(wiring.HANDLERS) == set(events())
    assert len(set(wiring.wired_events())) == len(wiring.HANDLERS)


@pytest.mark.parametrize("event", events(), ids=lambda event: event.__name__)
def test_an_event_holds_ids_and_codes_only(event: Any) -> None:
    assert is_dataclass(event)
    assert vars(event)["__dataclass_params__"].frozen
    assert {field.type for field in fields(event)} <= {int, str, "int", "str"}
    assert vars(event)["name"].partition(".")[0] == event.__module__.split(".")[1]


@pytest.mark.parametrize(
    ("event", "job_name"),
    [(event, job_name) for event, names in wiring.HANDLERS.items() for job_name in names] or [(None, "")],
    ids=str,
)
def test_a_job_that_follows_an_event_takes_what_the_event_holds(event: Any, job_name: str) -> None:
    if event is None:
        pytest.skip("no job follows an event yet")
    parameters = signature(registered[job_name]).parameters
    keywords = {name for name, parameter in parameters.items() if parameter.kind is Parameter.KEYWORD_ONLY}
    assert keywords == {field.name for field in fields(event)}


def test_every_module_of_jobs_is_loaded_by_the_worker() -> None:
    assert {module.__name__ for module in wiring.JOB_MODULES} == {module.__name__ for module in modules("jobs")}


def test_every_function_of_a_module_of_jobs_is_registered() -> None:
    public = {
        function
        for module in modules("jobs")
        for name, function in vars(module).items()
        if isfunction(function) and not name.startswith("_") and getattr(function, "__module__", "") == module.__name__
    }
    assert public <= set(registered.values())


@pytest.mark.parametrize("name", [name for name in registered if not name.startswith("tests.")])
def test_a_job_takes_ids_by_keyword(name: str) -> None:
    _actor, *arguments = signature(registered[name]).parameters.values()
    assert {argument.kind for argument in arguments} <= {Parameter.KEYWORD_ONLY}
    assert {argument.annotation for argument in arguments} <= {int, str, "int", "str"}


def test_every_job_that_is_enqueued_exists() -> None:
    import core.mail.intake as intake
    import core.mail.writing as writing

    assert {intake.FILE_JOB, writing.SEND_JOB} <= registered.keys()


# Shape


def test_every_folder_has_its_place() -> None:
    found = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "_")) and path.name not in {"var", "build"}
    }
    assert found <= FOLDERS


PYTHON = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if not {"node_modules", "static"} & set(path.parts)
)
GENERATED = {"migrations/versions/0002_tables.py"}


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    if name_of(path) not in GENERATED:
        assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=name_of)
def test_a_package_says_what_it_is_for(path: Path) -> None:
    assert len(ast.get_docstring(ast.parse(path.read_text())) or "") > 20


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_whatever_is_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    silent = [
        node.name
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Module | ast.ClassDef) and not getattr(parent, "name", "").startswith("_")
        for node in parent.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []


# Templates

KEY = re.compile(r'data-key(?:": "|=")([a-z])"')
KEY_IN_HELP = re.compile(r"<kbd>([a-z])</kbd>")


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.parent.name != "components"], ids=name_of)
def test_the_help_sheet_names_every_key_of_a_page(path: Path) -> None:
    """Keys of the frame stand in the frame's sheet, those of a page in its block ``shortcuts``."""
    sheet = path.with_name("base.html") if path.parent.name == "shell" else path
    assert set(KEY.findall(path.read_text())) <= set(KEY_IN_HELP.findall(sheet.read_text()))


COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style", re.IGNORECASE),
    "an event attribute": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "a script in an htmx attribute": re.compile(r"hx-on|hx-vals\s*=\s*[\"']js:|hx-vars", re.IGNORECASE),
    "a script in a link": re.compile(r"javascript:", re.IGNORECASE),
    "an unescaped value": re.compile(r"\|\s*safe\b"),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.IGNORECASE),
}


UNDER_ITS_OWN_POLICY = {"tenant_app/templates/mail/body.html"}
"""A cleaned mail in a sandboxed frame."""


@pytest.mark.attack(11)
@pytest.mark.parametrize("path", [path for path in TEMPLATES if name_of(path) not in UNDER_ITS_OWN_POLICY], ids=name_of)
def test_a_template_holds_nothing_that_the_policy_forbids(path: Path) -> None:
    text = COMMENT.sub("", path.read_text())
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []
