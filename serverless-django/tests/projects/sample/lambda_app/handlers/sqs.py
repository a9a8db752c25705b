"""SQS batch → tasks."""

from serverless_django.handlers.sqs import handler as handler
