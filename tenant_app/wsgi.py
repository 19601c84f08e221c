"""What gunicorn serves."""

from core.foundation.log import configure_logs
from tenant_app.app import create_app

configure_logs()
app = create_app()
