"""The platform as a Django app: it has no models, only system checks."""

from django.apps import AppConfig


class ServerlessConfig(AppConfig):
    name = "lambda_app.serverless"
    label = "serverless"

    def ready(self) -> None:
        from lambda_app.serverless import checks  # noqa: F401 - registers them
