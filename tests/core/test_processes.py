"""Every process knows all tables that its rows link to: each module that is run by itself is imported alone."""

import subprocess
import sys

import pytest

ENTRIES = ("core.mail.smtp", "core.worker", "tenant_app.app")


@pytest.mark.parametrize("module", ENTRIES)
def test_links_between_tables_can_be_resolved(module: str) -> None:
    code = f"import {module}; from core.foundation.models import Base; Base.metadata.sorted_tables; print('resolved')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603  # our own code
    assert done.stdout.strip() == "resolved", done.stderr
