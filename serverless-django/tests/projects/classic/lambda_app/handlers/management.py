from serverless_django.handlers.management import handler

__all__ = ["handler"]
