"""Views."""

from flask_appbuilder import BaseView


class Companies(BaseView):
    """Views."""

    route_base = "/companies"
