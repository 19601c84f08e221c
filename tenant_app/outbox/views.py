"""Views."""

from flask_appbuilder import BaseView


class Outbox(BaseView):
    """Views."""

    route_base = "/outbox"
