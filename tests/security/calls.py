"""Requests as the gateway delivers them, through the deployed handler, in this process."""

from typing import Any

from serverless_django.testing.requests import HOST, Answer, call_api, kept_connection

__all__ = ["HOST", "Answer", "call", "kept_connection"]


def call(method: str, path: str, **options: Any) -> Answer:
    """Send one request to the library's handler, with the options of `call_api`."""
    from serverless_django.handlers.api_gateway import handler

    return call_api(handler, method, path, **options)
