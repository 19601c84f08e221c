"""Server time of the main pages with demo data, beside the cheapest page that the same app can answer.

``python -m tests.bench.pages http://demo.localhost:8080 anna@demo.localhost PASSWORD`` prints for every page the median
and the 95th percentile of ``Server-Timing`` in milliseconds, and how many times the floor (``/theme.css``: routing, the
tenant, a template of one line) the median is. The bar: p95 ≤ 50 ms.
"""

import http.client
import re
import statistics
import sys
from typing import Final
from urllib.parse import urlencode, urlsplit

ROUNDS: Final = 60
WARM_UP: Final = 8
FLOOR: Final = "/theme.css"
LISTS: Final = ("/", "/tickets/", "/contacts/", "/companies/", "/outbox/")
SEARCHES: Final = ("/search?q=nov", "/search?q=no", "/contacts/?q=zzzzqq", "/tickets/?status=&q=a", "/mail/new")
DETAIL: Final = re.compile(rb'href="(/(?:tickets|contacts|companies)/\d+)"')
TOKEN: Final = re.compile(r'name="csrf[-_]token" (?:value|content)="([^"]+)"')


class Visitor:
    """A signed-in client that keeps its connection and its cookie."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.host = parts.netloc
        self.connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80)
        self.cookie = ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request; the body is read whole."""
        headers = {"Host": self.host, "Cookie": self.cookie, "Accept": "text/html"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request("POST" if form is not None else "GET", path, urlencode(form or {}), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer, body

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the form."""
        found = TOKEN.search(self.ask("/sign-in")[1].decode())
        form = {"csrf_token": found[1] if found else "", "email": email, "password": password}
        answer, _body = self.ask("/sign-in", form)
        if answer.status != 303:
            raise SystemExit(f"cannot sign in: {answer.status}")


def server_times_ms(visitor: Visitor, path: str) -> list[float]:
    """The server's own times for ``path``, after a warm-up, sorted."""
    times = []
    for number in range(ROUNDS + WARM_UP):
        answer, _body = visitor.ask(path)
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        if number >= WARM_UP:
            times.append(float((answer.getheader("Server-Timing") or "app;dur=nan").partition("dur=")[2]))
    return sorted(times)


def main(base_url: str, email: str, password: str) -> None:
    """Print the table."""
    visitor = Visitor(base_url)
    visitor.sign_in(email, password)
    details = {}
    for path in LISTS[1:4]:
        found = DETAIL.search(visitor.ask(path)[1])
        if found:
            details[path] = found[1].decode()
    floor = statistics.median(server_times_ms(visitor, FLOOR))
    print(f"floor {FLOOR}: {floor:.1f} ms\n{'page':<28} {'median':>7} {'p95':>7} {'× floor':>8}")
    for path in (*LISTS, *details.values(), *SEARCHES):
        times = server_times_ms(visitor, path)
        median, p95 = statistics.median(times), times[int(len(times) * 0.95)]
        print(f"{path:<28} {median:7.1f} {p95:7.1f} {median / floor:8.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
