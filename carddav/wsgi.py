"""What gunicorn serves."""

from carddav.entrance import Entrance
from core.foundation.heartbeat import start_heartbeat
from core.foundation.log import configure_logs

configure_logs()
start_heartbeat("carddav")
application = Entrance()
