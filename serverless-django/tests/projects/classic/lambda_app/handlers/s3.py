from serverless_django.handlers.s3 import handler

__all__ = ["handler"]
