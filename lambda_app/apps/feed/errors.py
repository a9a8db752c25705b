"""What a service may refuse, each with the status that HTTP has for it."""

from datetime import timedelta
from http import HTTPStatus


class RefusedError(Exception):
    """A request that the rules of the feed forbid; the message is for the person who made it."""

    status = HTTPStatus.BAD_REQUEST


class ForbiddenError(RefusedError):
    status = HTTPStatus.FORBIDDEN


class NotFoundError(RefusedError):
    status = HTTPStatus.NOT_FOUND


class ConflictError(RefusedError):
    status = HTTPStatus.CONFLICT


class TooManyError(RefusedError):
    """Allowed again after `retry_after`."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RejectedImageError(Exception):
    """A file that will not become a photo; the message is for the person who uploaded it."""
