"""Views."""

from flask_appbuilder import BaseView


class Search(BaseView):
    """Views."""

    route_base = "/search"
