"""UUIDv7 identifiers, made in Python and in the order of their making; and those of what may be there once."""

from uuid import UUID, uuid5

import uuid6


def new_id() -> UUID:
    # A plain UUID: JSON encoders match the exact class.
    return UUID(int=uuid6.uuid7().int)


def view_id(member_id: UUID, post_id: UUID) -> UUID:
    """Return the id of the one view of the post that the member has in an hour."""
    return uuid5(member_id, post_id.hex)
