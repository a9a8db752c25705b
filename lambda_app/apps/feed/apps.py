from django.apps import AppConfig


class FeedConfig(AppConfig):
    name = "lambda_app.apps.feed"
    verbose_name = "photo feed"
