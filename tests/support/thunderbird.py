"""Thunderbird without a window, driven over Marionette: its own code finds, fetches and writes address books."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.ports import free_port
from tests.support.waiting import wait_until

START_S: Final = 120
SCRIPT_S: Final = 90
PREFERENCES: Final[dict[str, bool | int | str]] = {
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.blocklist.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}
ASYNC: Final = """
const done = arguments[arguments.length - 1];
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const book = uid => MailServices.ab.getDirectoryFromUID(uid);
const card = (uid, name) => book(uid).childCards.find(found => found.displayName == name);
(async (...args) => { %s })(...[...arguments].slice(0, -1)).then(
  value => done({value: value === undefined ? null : value}),
  error => done({error: `${error} ${error.stack || ""}`}));
"""


class Thunderbird:
    """A running Thunderbird with one CardDAV account."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._number = 0
        self._read()
        self._command("WebDriver:NewSession", {})
        self._command("Marionette:SetContext", {"value": "chrome"})
        self._command("WebDriver:SetTimeouts", {"script": SCRIPT_S * 1000})

    def find_books(self, url: str, username: str, password: str) -> dict[str, str]:
        """Find the books from an address, as the dialog does, and add them; answers their ids by name."""
        found: dict[str, str] = self.run(
            """
            const [url, username, password] = args;
            const {CardDAVUtils} = ChromeUtils.importESModule("resource:///modules/CardDAVUtils.sys.mjs");
            const books = await CardDAVUtils.detectAddressBooks(username, password, url, false);
            return Object.fromEntries(await Promise.all(books.map(async one => [one.name, (await one.create()).UID])));
            """,
            url,
            username,
            password,
        )
        return found

    def sync(self, uid: str) -> list[str]:
        """Synchronise the book; answers the names in it."""
        names: list[str] = self.run(
            """
            await book(args[0]).wrappedJSObject.syncWithServer();
            return book(args[0]).childCards.map(found => found.displayName).sort();
            """,
            uid,
        )
        return names

    def change(self, uid: str, name: str, **properties: str) -> None:
        """Change a card in the window's way, which sends it."""
        self.run(
            """
            const changed = card(args[0], args[1]);
            const held = changed.vCardProperties;
            for (const [key, value] of Object.entries(args[2])) {
              const entry = held.getFirstEntry(key);
              if (entry) entry.value = value; else held.addValue(key, value);
            }
            changed.setProperty("_vCard", held.toVCard());
            await book(args[0]).wrappedJSObject.modifyCard(changed);
            """,
            uid,
            name,
            properties,
        )

    def create(self, uid: str, card: str) -> None:
        """Add a card, which sends it."""
        self.run(
            """
            const {VCardUtils} = ChromeUtils.importESModule("resource:///modules/VCardUtils.sys.mjs");
            book(args[0]).addCard(VCardUtils.vCardToAbCard(args[1]));
            """,
            uid,
            card,
        )

    def delete(self, uid: str, name: str) -> None:
        """Delete a card, which tells the server."""
        self.run("await book(args[0]).wrappedJSObject.deleteCards([card(args[0], args[1])]);", uid, name)

    def card(self, uid: str, name: str) -> str:
        """A card's text as Thunderbird holds it."""
        text: str = self.run('return card(args[0], args[1]).getProperty("_vCard", "");', uid, name)
        return text

    def run(self, code: str, *arguments: Any) -> Any:
        """Run privileged JavaScript; raises ``RuntimeError`` with its error."""
        script = {"script": ASYNC % code, "args": list(arguments), "sandbox": "system"}
        answer = self._command("WebDriver:ExecuteAsyncScript", script)["value"]
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def _command(self, name: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, name, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        _kind, _number, error, result = self._read()
        if error:
            raise RuntimeError(str(error))
        return result

    def _read(self) -> Any:
        length = b""
        while (sign := self._connection.recv(1)) != b":":
            if not sign:
                raise EOFError("Thunderbird closed the connection")
            length += sign
        message = b""
        while len(message) < int(length):
            message += self._connection.recv(int(length) - len(message))
        return json.loads(message)


@contextmanager
def running_thunderbird(folder: Path) -> Iterator[Thunderbird]:
    """Start Thunderbird with a fresh profile in ``folder``."""
    port, profile = free_port(), folder / "profile"
    profile.mkdir()
    preferences = PREFERENCES | {"marionette.port": port}
    lines = (f'user_pref("{name}", {json.dumps(value)});' for name, value in preferences.items())
    (profile / "user.js").write_text("\n".join(lines))
    command = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(  # noqa: S603  # the test's own program
        [shutil.which("thunderbird") or "thunderbird", *command],
        env=os.environ | {"HOME": str(folder), "MOZ_HEADLESS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with _connected(port) as connection:
            yield Thunderbird(connection)
    finally:
        process.terminate()
        process.wait(30)


def _connected(port: int) -> socket.socket:
    def connect() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=SCRIPT_S + 10)
        return None

    found = wait_until(connect, deadline_s=START_S)
    assert found is not None
    return found
