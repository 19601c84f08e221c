"""All tables of the product: importing the models is what registers them."""

from sqlalchemy import MetaData

from core.calls import models as _calls
from core.directory import models as _directory
from core.directory.books import models as _books
from core.foundation import blobs as _blobs
from core.foundation import history as _history
from core.foundation import jobs as _jobs
from core.foundation import outbox as _outbox
from core.foundation import read_log as _read_log
from core.foundation.models import Base
from core.identity import models as _identity
from core.identity.openid import models as _openid
from core.mail import models as _mail
from core.notifications import models as _notifications
from core.tenants import models as _tenants
from core.tickets import models as _tickets
from core.timeline import models as _timeline

MODULES = (
    _blobs, _books, _calls, _directory, _history, _identity, _jobs, _mail, _notifications, _openid, _outbox, _read_log,
    _tenants, _tickets, _timeline,
)  # fmt: skip

metadata: MetaData = Base.metadata
