"""Views."""

from flask_appbuilder import BaseView


class Contacts(BaseView):
    """Views."""

    route_base = "/contacts"
