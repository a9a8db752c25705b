"""Where Django looks for the platform's tables."""

from serverless_django.idempotency.models import StoredAnswer
from serverless_django.tasks.models import DeferredCall, FailedCall, Receipt, StoredResult
from serverless_django.throttling.models import Bucket

__all__ = ["Bucket", "DeferredCall", "FailedCall", "Receipt", "StoredAnswer", "StoredResult"]
