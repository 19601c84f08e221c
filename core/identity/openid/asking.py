"""How the library's requests leave: by ``core.foundation.outgoing`` alone, with words for what goes wrong."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from core.foundation.errors import Unavailable
from core.foundation.i18n import _
from core.foundation.outgoing import MOST_ANSWER_BYTES, Answer, Refused, ask, checked_url

S = TypeVar("S", bound=Session)
NOT_PUBLIC: Final = "not a public address"


def guarded(session: S) -> S:
    """Let every request of ``session`` leave so; what goes wrong is ``Unavailable``, in words for whoever set it up."""
    session.trust_env = False  # no proxy and no password file of this machine
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "Centrala"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Guarded())
    return session


def is_askable(url: str) -> bool:
    """Whether ``url`` is an address that may be asked, as far as its text tells."""
    try:
        checked_url(url)
    except Refused:
        return False
    return True


class _Guarded(BaseAdapter):
    """Sends for ``requests``, whose other parameters have no say."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002
        timeout: Any = None,  # noqa: ARG002
        verify: Any = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Ask, and answer with everything that came back."""
        url = request.url or ""
        content = request.body.encode() if isinstance(request.body, str) else request.body
        body = content if isinstance(content, bytes) else b""
        headers = {name: text if isinstance(text, str) else text.decode() for name, text in request.headers.items()}
        return _response(request, _asked(request.method or "GET", url, body, headers))

    def close(self) -> None:
        """Nothing stays open."""


def _asked(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    host = urlsplit(url).hostname or url
    try:
        answer = ask(method, url, body=body, headers=headers)
    except Refused as error:
        if str(error) == NOT_PUBLIC:
            raise Unavailable(_("%(host)s lies in a private network, where nothing is asked.", host=host)) from error
        raise Unavailable(_("Only addresses that begin with https:// are asked.")) from error
    except Unavailable as error:
        raise Unavailable(_("%(host)s does not answer, or its certificate is not valid.", host=host)) from error
    if len(answer.body) >= MOST_ANSWER_BYTES:
        raise Unavailable(_("%(host)s answers with more than fits.", host=host))
    if 300 <= answer.status < 400:
        raise Unavailable(_("%(host)s sends on to another address. Enter that one.", host=host))
    return answer


def _response(request: PreparedRequest, answer: Answer) -> Response:
    response = Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = BytesIO(answer.body)
    response.url = request.url or ""
    response.request = request
    return response
