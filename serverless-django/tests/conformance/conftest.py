import pytest
from django.db import connections


@pytest.fixture(autouse=True)
def _no_connection():
    """Close what tests before have opened: a request would ask whether it still works, which these tests may not."""
    connections.close_all()
