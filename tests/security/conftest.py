from collections.abc import Iterator

import pytest

from tests.security.calls import kept_connection


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Keep the transaction of a test through its requests."""
    with kept_connection():
        yield
