"""What a project needs to test itself: a pytest plugin that is active wherever this library is installed.

Beside its fixtures: `requests`, `sqs_events`, `log_lines` and `threads`.
"""

from serverless_django.testing.lambda_context import LambdaContext

__all__ = ["LambdaContext"]
