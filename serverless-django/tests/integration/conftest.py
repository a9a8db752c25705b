"""What of the library's integration tests share."""

from tests.emulated import *  # noqa: F403
