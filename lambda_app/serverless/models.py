"""Where Django looks for the platform's tables."""

from lambda_app.serverless.idempotency.models import StoredAnswer
from lambda_app.serverless.tasks.models import DeferredCall, FailedCall, Receipt, StoredResult
from lambda_app.serverless.throttling.models import Bucket

__all__ = ["Bucket", "DeferredCall", "FailedCall", "Receipt", "StoredAnswer", "StoredResult"]
