"""Where there is a CloudFront, a request that did not come through it is refused: it has passed no firewall."""

import time
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from lambda_app.contract.environment import ORIGIN_SECRET_HEADER
from lambda_app.serverless.http.middleware import InlineMiddleware
from lambda_app.serverless.presigning import session

REREAD_SECONDS = 60
"""A stranger's guesses make us read the secret no oftener than this."""


class OriginMiddleware(InlineMiddleware):
    """Compares what CloudFront says with the secret of `settings.ORIGIN_SECRET_ARN`, read with the first request."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._secret = b""
        self._read_at = float("-inf")

    def before(self, request: HttpRequest) -> None:
        said = request.headers.get(ORIGIN_SECRET_HEADER, "").encode()
        if compare_digest(said, self._secret) and said:
            return
        # It may have been changed by a deploy since we read it.
        if time.monotonic() - self._read_at > REREAD_SECONDS:
            self._secret = read_secret(str(settings.ORIGIN_SECRET_ARN)).encode()  # type: ignore[misc]
            self._read_at = time.monotonic()
        if not said or not compare_digest(said, self._secret):
            raise PermissionDenied("the request did not come through CloudFront")


def read_secret(arn: str) -> str:
    """Return the text of the secret `arn`."""
    client: Any = session().create_client("secretsmanager")
    return str(client.get_secret_value(SecretId=arn)["SecretString"])
