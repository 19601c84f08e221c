"""Views."""

from flask_appbuilder import BaseView, expose


class Home(BaseView):
    """Views."""

    route_base = ""
    default_view = "index"

    @expose("/")
    def index(self) -> str:
        return ""
