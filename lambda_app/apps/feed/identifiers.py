"""UUIDv7 identifiers: made in Python, and in the order of their making."""

from uuid import UUID

import uuid6


def new_id() -> UUID:
    # A plain UUID: JSON encoders match the exact class.
    return UUID(int=uuid6.uuid7().int)
