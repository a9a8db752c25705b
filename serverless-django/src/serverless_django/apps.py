"""The platform as a Django app: the tables behind tasks, its commands and its system checks."""

from django.apps import AppConfig
from django.core.cache import caches


class ServerlessConfig(AppConfig):
    name = "serverless_django"
    label = "serverless"

    def ready(self) -> None:
        from serverless_django import checks  # noqa: F401 - registers them
        from serverless_django.observability.enforcement import hold_tasks

        hold_tasks()
        # Each request runs in a copy of this context: made within one, a cache and its connection would end with it.
        caches["default"]
