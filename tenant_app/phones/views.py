"""``/synced/…``: a user's phones and programs, adding one, cutting one off; and the page that a scanned code opens."""

from datetime import timedelta
from typing import Final

from flask import Response, flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.directory.books.clients import (
    ClientRow,
    ProfileClient,
    add_client,
    all_clients,
    keep_profile_link,
    my_clients,
    profile_link_client,
    revoke_client,
    use_profile_link,
)
from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public, requires
from tenant_app.phones.links import fingerprint, seal, unseal
from tenant_app.phones.profiles import MEDIA_TYPE, mobileconfig
from tenant_app.phones.server import dav_server
from tenant_app.qr import qr_code
from tenant_app.sealing import VALID_FOR, Sealed
from tenant_app.typed import as_id, as_needle

STATES: Final = ("active", "wiping", "revoked")
LONG_AGO: Final = timedelta(days=14)
SHOWN_ONCE: Final = "synced"
"""Under this name the browser's session holds the sealed link of the phone that was added last, until it is shown."""


class Phones(BaseView):
    """Synced clients."""

    route_base = "/synced"

    @expose("/")
    @requires(Permission.CONTACTS_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The viewer's own."""
        clients = my_clients(work)
        return render_template(
            "phones/list.html",
            clients=[client for client in clients if client.state != "revoked"],
            gone=[client for client in clients if client.state == "revoked"],
            silent_since=clock.now() - LONG_AGO,
        )

    @expose("/all")
    @requires(Permission.PEOPLE_MANAGE)
    def everybody(self, work: Work) -> ResponseReturnValue:
        """Everybody's, of one state or of all, found by name; ``revoke`` in the address asks about one."""
        clients, needle = all_clients(work), as_needle(request.args.get("q"))
        state = request.args.get("state", "")
        asked = as_id(request.args.get("revoke"))
        return render_template(
            "phones/all.html",
            clients=[client for client in clients if _is_wanted(client, state, needle)],
            has_any=bool(clients),
            state=state if state in STATES else "",
            needle=needle,
            leaving=next((client for client in clients if client.id == asked and client.state != "revoked"), None),
            silent_since=clock.now() - LONG_AGO,
        )

    @expose("/new")
    @requires(Permission.CONTACTS_READ)
    def new(self, work: Work) -> ResponseReturnValue:  # noqa: ARG002  # every page has a transaction
        """One field: its name."""
        return render_template("phones/new.html", name=_guessed_name(), errors={})

    @expose("/new", methods=["POST"])
    @requires(Permission.CONTACTS_READ)
    def create(self, work: Work) -> ResponseReturnValue:
        """Add it, and show the password on the next page."""
        name = request.form.get("name", "")
        try:
            client = add_client(work, name)
        except Invalid as error:
            errors = {field: say(message) for field, message in error.problems.items()}
            return render_template("phones/new.html", name=name, errors=errors), 422
        except Conflict as error:
            return render_template("phones/new.html", name=name, errors={"name": say(error.message)}), 409
        token = seal(client.id, client.password, tenant_id=work.actor.tenant_id)
        keep_profile_link(work, client.id, fingerprint(token), expires_at=clock.now() + VALID_FOR)
        session[SHOWN_ONCE] = token
        return redirect(f"/synced/{client.id}/ready", 303)

    @expose("/<int:client_id>/ready")
    @requires(Permission.CONTACTS_READ)
    def ready(self, work: Work, client_id: int) -> ResponseReturnValue:
        """The code, the fields and the instructions: once. Whoever comes back is told that the password is gone."""
        client = _own(work, client_id)
        token = session.pop(SHOWN_ONCE, "")
        sealed = unseal(token, tenant_id=work.actor.tenant_id)
        if sealed is None or sealed.id != client.id:
            return _secret(make_response(render_template("phones/shown.html", client=client), 410))
        link = f"{request.host_url}synced/profile/{token}"
        page = render_template(
            "phones/ready.html",
            client=client,
            password=sealed.text,
            until=sealed.until,
            server=dav_server(),
            link=link,
            code=qr_code(link),
        )
        return _secret(make_response(page))

    @expose("/<int:client_id>/revoke", methods=["POST"])
    @requires(Permission.CONTACTS_READ)
    def revoke(self, work: Work, client_id: int) -> ResponseReturnValue:
        """Cut it off: emptied at its next sync, then refused."""
        state = revoke_client(work, client_id)
        emptied, refused = _("Revoked. It is emptied at its next sync, then refused."), _("It is refused from now on.")
        flash(emptied if state == "wiping" else refused, "success")
        return redirect("/synced/all" if request.form.get("from") == "all" else "/synced/", 303)

    @expose("/profile/<token>")
    @public
    def offer(self, token: str) -> ResponseReturnValue:
        """What a scanned code opens. Looking uses nothing up, since cameras and messengers fetch links ahead."""
        sealed = unseal(token, tenant_id=current_tenant().id)
        client = _client_behind(token, use=False) if sealed else None
        if sealed is None or client is None:
            return _gone()
        page = render_template("phones/offer.html", client=client, kind=_kind_of_device(), until=sealed.until)
        return _secret(make_response(page))

    @expose("/profile/<token>", methods=["POST"])
    @public
    def take(self, token: str) -> ResponseReturnValue:
        """The profile (``apple``), or the settings on a page: for the first who asks."""
        sealed = unseal(token, tenant_id=current_tenant().id)
        client = _client_behind(token, use=True) if sealed else None
        if sealed is None or client is None:
            return _gone()
        if request.form.get("kind") == "apple":
            return _profile(client, sealed)
        page = render_template("phones/settings.html", client=client, password=sealed.text, server=dav_server())
        return _secret(make_response(page))


class Discovery(BaseView):
    """Where programs that know only the company's host name are sent."""

    route_base = "/.well-known"

    @expose("/carddav", methods=["GET", "PROPFIND"])
    @public
    def carddav(self) -> ResponseReturnValue:
        """To the CardDAV server (RFC 6764, 5)."""
        return redirect(dav_server().entrance, 301)


def _client_behind(token: str, *, use: bool) -> ProfileClient | None:
    """The client that the link was made for; None if it was used, or the client is active no more."""
    with unit_of_work(system_actor(current_tenant().id, door=Door.WEB)) as work:
        try:
            return (use_profile_link if use else profile_link_client)(work, fingerprint(token))
        except NotFound:
            return None


def _profile(client: ProfileClient, sealed: Sealed) -> Response:
    company = current_tenant().name
    body = mobileconfig(dav_server(), username=client.username, password=sealed.text, company=company)
    response = Response(body, mimetype=MEDIA_TYPE)
    response.headers["Content-Disposition"] = 'attachment; filename="contacts.mobileconfig"'
    return _secret(response)


def _gone() -> Response:
    """Used, too old, forged, of another company: all the same (ATTACKS 32, 33)."""
    return _secret(make_response(render_template("phones/gone.html"), 410))


def _secret(response: Response) -> Response:
    """Kept by no cache and told to no other page."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _own(work: Work, client_id: int) -> ClientRow:
    client = next((client for client in my_clients(work) if client.id == client_id), None)
    if client is None:
        raise NotFound
    return client


def _is_wanted(client: ClientRow, state: str, needle: str) -> bool:
    text = f"{client.name} {client.user_name} {client.username}".casefold()
    return (state not in STATES or client.state == state) and all(word in text for word in needle.casefold().split())


def _kind_of_device() -> str:
    agent = request.user_agent.string
    if any(word in agent for word in ("iPhone", "iPad", "Macintosh")):
        return "apple"
    return "android" if "Android" in agent else ""


def _guessed_name() -> str:
    """What somebody adds from a computer is most often a phone; from a phone, that phone."""
    return str(_("Android phone")) if _kind_of_device() == "android" else "iPhone"
