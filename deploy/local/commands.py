"""What ``./centrala`` can do once its environment stands."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from deploy.local import steps
from deploy.local.places import (
    ROOT,
    VAR,
    Installation,
    forget_taken_ports,
    installation,
    is_taken,
    kamailio_folder,
    postgres_folder,
    process_environment,
)
from deploy.local.supervisor import LOG, Supervisor, running, wait_for_answer
from deploy.local.telephony import set_up_beside
from deploy.local.telephony_status import telephony_lines

DEMO_SIGN_INS: Final = (
    ("demo", "anna", "owner"),
    ("demo", "boris", "agent"),
    ("demo", "vera", "may only read"),
    ("other", "oleg", "owner of another company"),
)
DEMO_PASSWORD: Final = "Centrala-2026!"  # noqa: S105  # printed on purpose: it opens nothing but demo data
OK, PARTLY, NOT_RUNNING = 0, 1, 3


def up() -> int:
    """Set up what is missing, run everything until Ctrl-C, leave no process behind."""
    if Supervisor().is_running():
        sys.stdout.write("Centrala runs already; ./centrala status tells how.\n")
        return 1
    forget_taken_ports()
    found = installation(os.environ)
    if problem := _taken_port(found):
        sys.stderr.write(f"{problem}\n")
        return 1
    _interrupt_on_signals()
    try:
        _run(found)
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped.\n")
        return OK
    sys.stderr.write(f"The supervisor ended by itself; {VAR / 'log' / 'supervisord.log'} says why.\n")
    return 1


def demo() -> int:
    """Load the demo companies into a running, empty installation."""
    if not Supervisor().is_running():
        sys.stderr.write("Centrala does not run; ./centrala up starts it and loads the demo companies by itself.\n")
        return NOT_RUNNING
    if not steps.load_demo(installation(os.environ)):
        sys.stdout.write("There are companies already; ./centrala reset removes everything.\n")
    return OK


def company(arguments: list[str]) -> int:
    """Found a company in a running installation; prints the link by which its owner goes in."""
    if not {"-h", "--help"}.intersection(arguments) and not Supervisor().is_running():
        sys.stderr.write("Centrala does not run; ./centrala up starts it.\n")
        return NOT_RUNNING
    command = [sys.executable, "-m", "deploy.local.company", *arguments]
    environment = process_environment(installation(os.environ))
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603  # our own module


def status() -> int:
    """Say which processes run, since when, and where the product answers."""
    supervisor = Supervisor()
    if not supervisor.is_running():
        sys.stdout.write("Centrala does not run; ./centrala up starts it.\n")
        return NOT_RUNNING
    states = supervisor.states()
    for state in states:
        since = f"{state.running_s // 60} min {state.running_s % 60} s" if state.pid else ""
        sys.stdout.write(f"{state.name:<10} {state.state:<9} {state.pid or '':>8}  {since}\n")
    found = installation(os.environ)
    health = _health(found)
    down = [part for part, answer in health.items() if answer == "down"]
    sys.stdout.write(f"\n{found.address}   mail in: 127.0.0.1:{found.settings.smtp_port}\n")
    sys.stdout.write(
        f"health: {'everything answers' if health and not down else 'down: ' + ', '.join(down or ['web'])}\n"
    )
    sys.stdout.writelines(f"{line}\n" for line in telephony_lines(found))
    return OK if health and not down else PARTLY


def reset(arguments: list[str]) -> int:
    """Remove all data of this checkout, after asking."""
    if Supervisor().is_running():
        sys.stderr.write("Centrala runs; stop it first (Ctrl-C where it runs).\n")
        return 1
    folders = [folder for folder in dict.fromkeys((VAR, postgres_folder(), kamailio_folder())) if folder.exists()]
    sys.stdout.write("This deletes every company, ticket, mail and file of this checkout, for good:\n")
    sys.stdout.writelines(f"  {folder}\n" for folder in folders)
    if "--yes" not in arguments and input("Type yes to go on: ").strip() != "yes":
        sys.stdout.write("Nothing was deleted.\n")
        return 1
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(found: Installation) -> None:
    """Bring everything up, then wait for the supervisor's end; the front end is built beside the database."""
    with ThreadPoolExecutor(1) as beside:
        bundle = beside.submit(steps.build_frontend)
        _prepare(found)
        with running(found) as process:
            supervisor = wait_for_answer(process)
            if found.postgres:
                found.postgres.wait_until_ready()
                found.postgres.create_roles()
                steps.drop_half_a_demo(found)
                found.postgres.create_database()
            steps.migrate(found)
            steps.compile_catalogues()
            bundle.result()
            steps.load_demo(found)
            supervisor.start_ours(found)
            steps.wait_for_web(found)
            _welcome(found)
            with set_up_beside(found, supervisor):
                process.wait()


def _prepare(found: Installation) -> None:
    metrics = VAR / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    if found.postgres:
        if not (found.postgres.data / "PG_VERSION").exists():
            with steps.step("PostgreSQL"):
                found.postgres.prepare()
        if not found.postgres.folder.is_relative_to(VAR):
            sys.stdout.write(f"  PostgreSQL cannot enter this folder; its data lie in {found.postgres.folder}\n")
    if found.valkey:
        found.valkey.prepare()


def _taken_port(found: Installation) -> str | None:
    ports = {"CENTRALA_WEB_PORT": found.settings.web_port, "CENTRALA_SMTP_PORT": found.settings.smtp_port}
    if found.postgres:
        ports["CENTRALA_POSTGRES_PORT"] = found.postgres.port
    if found.valkey:
        ports["CENTRALA_VALKEY_PORT"] = found.valkey.port
    for variable, port in ports.items():
        if is_taken(port):
            return f"Port {port} is in use by another program. Set {variable} to a free one and try again."
    return None


def _interrupt_on_signals() -> None:
    """Let a closed terminal and SIGTERM end everything as Ctrl-C does, and SIGINT too where a shell had it ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _welcome(found: Installation) -> None:
    domain, port = found.settings.base_domain, found.settings.web_port
    lines = ["", "Centrala runs. Ctrl-C stops it.", ""]
    for tenant, name, role in DEMO_SIGN_INS:
        email = f"{name}@{tenant}.{domain}"
        lines.append(f"  http://{tenant}.{domain}:{port}   {email:<24} {DEMO_PASSWORD}   {role}")
    lines += [
        "",
        f"  mail in     127.0.0.1:{found.settings.smtp_port} for support@demo.{domain}",
        f"  mail out    {'by SMTP' if found.settings.outgoing_smtp_url else 'held; see Outbox in the web app'}",
        f"  phones      {found.settings.sip_host}:{found.settings.sip_port}, when set up: see ./centrala status",
        f"  health      http://{domain}:{port}/health",
        f"  log         {LOG}",
        "",
    ]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def _health(found: Installation) -> dict[str, str]:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", found.settings.web_port, timeout=5)
        connection.request("GET", "/health", headers={"Accept": "application/json"})
        answer: dict[str, str] = json.loads(connection.getresponse().read())
    except (OSError, ValueError):
        return {}
    return answer
