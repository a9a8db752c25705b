from serverless_django.handlers.sqs import handler

__all__ = ["handler"]
