"""The platform as a Django app: the tables behind tasks, its commands and its system checks."""

from django.apps import AppConfig


class ServerlessConfig(AppConfig):
    name = "lambda_app.serverless"
    label = "serverless"

    def ready(self) -> None:
        from lambda_app.serverless import checks  # noqa: F401 - registers them
        from lambda_app.serverless.observability.enforcement import hold_tasks

        hold_tasks()
