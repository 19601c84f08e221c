"""``GET /health`` and ``GET /metrics``. Neither tells anything about tenants or people."""

import os
import time
from typing import Final

from flask import Flask, Response, abort, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tenant_app.health.checks import look_around
from tenant_app.pages import public

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
FORWARDED: Final = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

request_seconds = Histogram(
    "centrala_request_seconds", "Server time of a request", ("endpoint", "status"), buckets=BUCKETS_S
)


class Health(BaseView):
    """What an operator's monitoring asks."""

    route_base = ""

    @expose("/health")
    @public
    def show(self) -> ResponseReturnValue:
        """Every part and how it is: 503 if one is down, else 200. JSON unless the browser wants a page."""
        parts = look_around()
        status = 503 if any(part.is_down for part in parts) else 200
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            return render_template("health/show.html", parts=parts), status
        return jsonify({part.name: part.state for part in parts}), status

    @expose("/metrics")
    @public
    def metrics(self) -> ResponseReturnValue:
        """Prometheus' text format, for this machine only."""
        if request.remote_addr not in LOOPBACK or any(name in request.headers for name in FORWARDED):
            abort(404)
        return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def measure_requests(app: Flask) -> None:
    """Let every request be timed, under its endpoint's name."""

    @app.before_request
    def begin() -> None:
        g.began_at = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.endpoint and "began_at" in g:
            passed_s = time.perf_counter() - g.began_at
            request_seconds.labels(request.endpoint, response.status_code).observe(passed_s)
            response.headers["Server-Timing"] = f"app;dur={passed_s * 1000:.1f}"
        return response


def _registry() -> CollectorRegistry:
    """Figures of all web processes together where they share a folder for them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library left it untyped
    return registry
