"""Views."""

from flask_appbuilder import BaseView


class Tickets(BaseView):
    """Views."""

    route_base = "/tickets"
