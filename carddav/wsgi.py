"""The application for gunicorn."""

from carddav.entrance import Entrance
from core.foundation.heartbeat import start_heartbeat
from core.foundation.log import configure_log

configure_log()
application = Entrance()
