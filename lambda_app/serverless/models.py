"""Where Django looks for the platform's tables."""

from lambda_app.serverless.tasks.models import DeferredCall, FailedCall, Receipt, StoredResult

__all__ = ["DeferredCall", "FailedCall", "Receipt", "StoredResult"]
