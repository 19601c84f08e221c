"""``/sign-in/with/<provider>`` and ``/sign-in/openid``: to a provider of OpenID Connect and back.

Both lie below ``/sign-in``, where browsers send the token by which they are known: whoever comes back with somebody
else's state does not have it.
"""

from typing import Final

import structlog
from flask import make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import login_user

from core.foundation.actor import Actor, Door, system_actor
from core.foundation.errors import Unavailable
from core.foundation.unit_of_work import unit_of_work
from core.identity.openid.protocol import Client, Identity, NotGenuine, authorization_url, identify, metadata_of
from core.identity.openid.providers import client_of
from core.identity.openid.visits import Visit, begin_visit, come_in, end_visit
from core.identity.second_step import Step
from core.identity.sessions import Browser
from core.identity.sign_in import signed_in
from core.tenants.service import primary_url
from tenant_app.browsers import remember, this_browser
from tenant_app.hosts import current_tenant
from tenant_app.pages import public
from tenant_app.paths import local_path
from tenant_app.security import Viewer, viewer
from tenant_app.sign_in.second_step import ask

STATUS: Final = {"stale": 410, "declined": 403, "unknown": 403, "not_genuine": 403, "away": 503, "too_many": 429}
MOST_CHARACTERS: Final = 4000

log = structlog.get_logger()


class OpenId(BaseView):
    """Signing in with an account from elsewhere."""

    route_base = "/sign-in"

    @expose("/with/<int:provider_id>")
    @public
    def begin(self, provider_id: int) -> ResponseReturnValue:
        """To the provider. Its page is asked for by this company's own address, where the browser comes back to."""
        wanted = local_path(request.args.get("next"))
        with unit_of_work(_product()) as work:
            home, client = primary_url(work), client_of(work, provider_id)
        if viewer() is not None:
            return redirect(wanted, 303)
        if not _is_at(home):
            return redirect(f"{home}{request.full_path.rstrip('?')}", 303)
        browser = this_browser()
        try:
            with unit_of_work(_product()) as work:
                begun = begin_visit(work, provider_id, browser=browser, wanted_path=wanted)
        except Unavailable:
            return _refused("too_many", provider_id)
        try:
            url = authorization_url(client, state=begun.state, nonce=begun.nonce, code_verifier=begun.code_verifier)
        except Unavailable as error:
            return _refused("away", provider_id, cause=str(error))
        return remember(browser, make_response(redirect(url, 303)))

    @expose("/openid")
    @public
    def come_back(self) -> ResponseReturnValue:
        """Back from the provider: prove that this is the way that was begun, and whose account it is."""
        browser = this_browser()
        with unit_of_work(_product()) as work:
            visit = end_visit(work, request.args.get("state", "")[:MOST_CHARACTERS], browser=browser)
            client = client_of(work, visit.provider_id) if visit else None
        if visit is None or client is None:
            return _refused("stale", None)
        if "error" in request.args:
            return _refused("declined", visit.provider_id)
        try:
            identity = _identity(client, visit)
        except NotGenuine as error:
            return _refused("not_genuine", visit.provider_id, cause=error.reason)
        except Unavailable as error:
            return _refused("away", visit.provider_id, cause=str(error))
        person = _person(visit, identity, browser)
        if person is None:
            return _refused("unknown", visit.provider_id)
        if isinstance(person, Step):
            return ask(person, wanted=local_path(visit.wanted_path))
        session.clear()
        login_user(person)
        return remember(browser, make_response(redirect(local_path(visit.wanted_path), 303)))


def _identity(client: Client, visit: Visit) -> Identity:
    issuer = request.args.get("iss")
    if issuer is None and metadata_of(client.issuer).names_itself:
        raise NotGenuine("iss_missing")
    if issuer is not None and issuer != client.issuer:
        raise NotGenuine("iss_of_answer")
    code = request.args.get("code", "")
    if not code or len(code) > MOST_CHARACTERS:
        raise NotGenuine("no_code")
    return identify(client, code, code_verifier=visit.code_verifier, nonce=visit.nonce)


def _person(visit: Visit, identity: Identity, browser: Browser) -> Viewer | Step | None:
    with unit_of_work(_product()) as work:
        opened = come_in(work, visit, identity, browser=browser)
        if opened is None or isinstance(opened, Step):
            return opened
        person = signed_in(work, opened)
        return Viewer(opened, person) if person else None


def _refused(reason: str, provider_id: int | None, *, cause: str = "") -> ResponseReturnValue:
    """Say what to do; the log says why, without naming anybody."""
    log.warning("openid_refused", reason=reason, provider_id=provider_id, cause=cause)
    return render_template("sign_in/refused.html", reason=reason, provider_id=provider_id), STATUS[reason]


def _is_at(home: str) -> bool:
    return request.host.partition(":")[0].lower() == home.partition("://")[2].partition(":")[0]


def _product() -> Actor:
    return system_actor(current_tenant().id, door=Door.WEB)
