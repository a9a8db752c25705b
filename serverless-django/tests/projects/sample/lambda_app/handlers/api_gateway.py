"""API Gateway request → Django → response."""

from serverless_django.handlers.api_gateway import handler as handler
