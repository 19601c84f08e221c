"""What ``./centrala status`` tells of telephony."""

import time
from collections.abc import Iterator

import psycopg
import redis

from core.foundation.heartbeat import Condition, Figures, figures_of
from deploy.local.places import Installation
from deploy.local.supervisor import gateway_names
from deploy.local.telephony import Part, telephony_of_this_checkout


def telephony_lines(found: Installation) -> Iterator[str]:
    """The edge with its registrations, pjsua2, and each worker with its calls."""
    telephony = telephony_of_this_checkout()
    yield f"telephone edge: {_edge(found, telephony.edge)}"
    yield f"telephone calls: {_gateway(telephony.gateway)}"
    if telephony.gateway.condition is Condition.ON:
        for name in gateway_names(found):
            yield f"  {name}: {_worker(_figures(found, name))}"


def _edge(found: Installation, edge: Part) -> str:
    if edge.condition is not Condition.ON:
        return _waiting(edge)
    settings = found.settings
    where = f"{settings.sip_host}, UDP and TCP {settings.sip_port}, TLS {settings.sips_port}"
    up_s = _uptime_s(found)
    runs = f"up {_span(up_s)}" if up_s is not None else "does not answer"
    return f"{runs}; {where}, WebSocket {settings.sip_ws_port}; {_registrations(found)} registrations"


def _gateway(gateway: Part) -> str:
    return gateway.note if gateway.condition is Condition.ON else _waiting(gateway)


def _waiting(part: Part) -> str:
    if part.condition is Condition.BUILDING:
        return f"{part.note} for {_span(time.time() - part.since)}"
    return part.note or "off"


def _worker(figures: Figures) -> str:
    if not figures:
        return "silent"
    return f"{figures.get('calls', 0)} calls, room for {figures.get('capacity', 0)}"


def _figures(found: Installation, worker: str) -> Figures:
    try:
        with redis.Redis.from_url(found.settings.redis_url, socket_timeout=2) as valkey:
            return figures_of(valkey, worker)
    except redis.RedisError:
        return {}


def _uptime_s(found: Installation) -> int | None:
    if found.kamailio is None:
        return None
    try:
        return int(found.kamailio.ask("core.uptime")["uptime"])
    except (OSError, KeyError, ValueError):
        return None


def _registrations(found: Installation) -> str:
    url = found.settings.kamailio_database_url.replace("postgresql+psycopg://", "postgresql://")
    query = "select count(*) from kamailio.location where expires > now() at time zone 'UTC'"
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.Error:
        return "unknown"
    return str(row[0]) if row else "unknown"


def _span(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
