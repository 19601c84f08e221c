"""``/settings/sign-in/…``: with which accounts from elsewhere people sign in; set up by owners."""

from collections.abc import Mapping
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Forbidden, Invalid, NotFound, Unavailable
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.openid.protocol import check_client
from core.identity.openid.providers import (
    KINDS,
    ProviderDraft,
    ProviderRow,
    add_provider,
    change_provider,
    client_of,
    provider,
    providers,
    redirect_url,
    remove_provider,
)
from core.identity.owners import is_owner, require_owner
from tenant_app.languages import say
from tenant_app.pages import requires, requires_outside
from tenant_app.security import viewer

PATH: Final = "/settings/sign-in/"
LINES: Final = ("name", "place", "client_id", "client_secret", "domains")
NAMES: Final = {"google": "Google", "microsoft": "Microsoft", "generic": ""}

Typed = Mapping[str, str]


class OpenIdProviders(BaseView):
    """The providers and their forms."""

    route_base = PATH.rstrip("/")

    @expose("/")
    @requires(Permission.SETTINGS_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every provider."""
        return render_template(
            "openid/list.html", providers=providers(work), redirect_url=redirect_url(work), is_owner=is_owner(work)
        )

    @expose("/new")
    @requires(Permission.SETTINGS_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form for the ``kind`` of the address."""
        require_owner(work)
        kind = _kind()
        return _form(work, kind, dict.fromkeys(LINES, "") | {"name": NAMES[kind]})

    @expose("/new", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store it; what it answers is tried next."""
        require_owner(work)
        kind, values = _kind(), _typed()
        try:
            add_provider(work, kind, _draft(values, is_new=True))
        except Invalid as error:
            return _form(work, kind, values, error=error), 422
        flash(_("Saved. Its button stands on the sign-in page now; test it next."), "success")
        return redirect(PATH, 303)

    @expose("/<int:provider_id>/edit")
    @requires(Permission.SETTINGS_MANAGE)
    def edit(self, work: Work, provider_id: int) -> ResponseReturnValue:
        """The form with what is stored, but for the secret."""
        row = provider(work, provider_id)
        require_owner(work)
        values = {"name": row.name, "place": row.place, "client_id": row.client_id, "client_secret": ""}
        return _form(work, row.kind, values | {"domains": " ".join(row.domains)}, row=row)

    @expose("/<int:provider_id>/edit", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def change(self, work: Work, provider_id: int) -> ResponseReturnValue:
        """Store the changes."""
        row, values = provider(work, provider_id), _typed()
        try:
            change_provider(work, provider_id, _draft(values, is_new=False))
        except Invalid as error:
            return _form(work, row.kind, values, row=row, error=error), 422
        flash(_("%(name)s saved.", name=values["name"]), "success")
        return redirect(PATH, 303)

    @expose("/<int:provider_id>/remove", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def remove(self, work: Work, provider_id: int) -> ResponseReturnValue:
        """Trust it no more."""
        remove_provider(work, provider_id)
        flash(_("Removed. Nobody signs in with it any more."), "success")
        return redirect(PATH, 303)

    @expose("/<int:provider_id>/test", methods=["POST"])
    @requires_outside(Permission.SETTINGS_MANAGE)
    def test(self, provider_id: int) -> ResponseReturnValue:
        """Ask the provider whether all fits, and say what does not."""
        person = viewer()
        if person is None:  # only a signed-in person comes here
            raise Forbidden
        with unit_of_work(person.actor()) as work:
            row, client = provider(work, provider_id), client_of(work, provider_id)
            require_owner(work)
        tested = {"id": provider_id, "problem": "", "keys": 0}
        try:
            tested["keys"] = check_client(client)
        except Unavailable as error:
            tested["problem"] = say(error.message)
        if request.headers.get("HX-Request"):
            return render_template("openid/tested.html", provider=row, tested=tested)
        flash(f"{row.name}: {tested['problem'] or _('Everything fits.')}", "error" if tested["problem"] else "success")
        return redirect(PATH, 303)


def _kind() -> str:
    kind = request.args.get("kind", "generic")
    if kind not in KINDS:
        raise NotFound
    return kind


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in LINES}


def _draft(values: Typed, *, is_new: bool) -> ProviderDraft:
    """An empty secret keeps the one that is stored; a new provider is switched on."""
    secret = values["client_secret"]
    return ProviderDraft(
        name=values["name"],
        place=values["place"],
        client_id=values["client_id"],
        client_secret=secret if secret or is_new else None,
        domains=values["domains"],
        is_enabled=is_new or "is_enabled" in request.form,
        counts_as_factor="counts_as_factor" in request.form,
    )


def _form(
    work: Work,
    kind: str,
    values: Typed,
    *,
    row: ProviderRow | None = None,
    error: Invalid | None = None,
) -> str:
    return render_template(
        "openid/form.html",
        kind=kind,
        provider=row,
        values=values,
        ticked={
            name: name in request.form if error else row is None or getattr(row, name)
            for name in ("is_enabled", "counts_as_factor")
        },
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        redirect_url=redirect_url(work),
    )
