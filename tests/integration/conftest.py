"""What of the project's integration tests share."""

from tests.emulated import *  # noqa: F403
