"""What every test of the project shares; servers come from the plugin of serverless_django.testing."""

from tests.shared import *  # noqa: F403
