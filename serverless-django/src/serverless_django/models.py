"""Where Django looks for the tables of tasks."""

from serverless_django.tasks.models import DeferredCall, FailedCall, Receipt, StoredResult

__all__ = ["DeferredCall", "FailedCall", "Receipt", "StoredResult"]
