"""The deployed settings, with routes that read, write once and wait."""

from lambda_app.settings.deployed import *  # noqa: F403

ROOT_URLCONF = "tests.chaos.database.urls"
