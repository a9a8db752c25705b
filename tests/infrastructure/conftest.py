"""What the tests of templates share."""

from tests.synthesized import *  # noqa: F403
