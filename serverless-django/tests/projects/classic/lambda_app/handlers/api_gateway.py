from serverless_django.handlers.api_gateway import handler

__all__ = ["handler"]
