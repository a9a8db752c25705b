"""The pytest plugin: it adds the fixtures once every other plugin is there, so that they follow pytest-django's."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("django"):
        from serverless_django.testing import fixtures

        config.pluginmanager.register(fixtures, "serverless-django-fixtures")
