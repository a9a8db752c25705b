"""What a project needs to test itself: a pytest plugin that is active wherever this library is installed."""

from serverless_django.testing.lambda_context import LambdaContext

__all__ = ["LambdaContext"]
