"""Behind CloudFront, a request that did not pass it is refused before Django is entered.

Such a request has passed no firewall, and anything in its X-Forwarded-For may be forged.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from hmac import compare_digest
from typing import Any, Self

from serverless_django.contract.environment import ORIGIN_SECRET_HEADER, Environment
from serverless_django.http.fields import last_value

logger = logging.getLogger(__name__)

REREAD_SECONDS = 60
"""An environment reads the secret again at most once in this time, however many wrong ones arrive."""

STAGES = ("AWSCURRENT", "AWSPREVIOUS")
"""During a rotation CloudFront still sends the previous one."""

PROBES = ("/healthz", "/readyz")
"""Paths that a load balancer may request itself: its health checks do not pass CloudFront."""


class CloudFrontSecret:
    """Knows the secret that CloudFront adds to each request; reads it when made, and again on a mismatch."""

    def __init__(self, secret_arn: str) -> None:
        self._arn = secret_arn
        self._secrets: list[bytes] = []
        self._read_at = float("-inf")
        self._read()

    @classmethod
    def of_environment(cls) -> Self | None:
        """Return the secret that the deploy has named, or None where requests come straight to the API."""
        arn = Environment.read_field("origin_secret_arn")
        return cls(arn) if arn else None

    @property
    def is_known(self) -> bool:
        """Return False if the secret could not be read yet, so that no request can be judged."""
        return bool(self._secrets)

    def admits(self, event: Mapping[str, Any]) -> bool:
        """Return whether CloudFront sent `event`, or a load balancer asks for its health."""
        said = last_value(event, ORIGIN_SECRET_HEADER).encode(errors="replace")
        if self._matches(said) or _is_health_check(event):
            return True
        # Wall-clock time: the monotonic clock may stop while Lambda is frozen.
        if not said or 0 <= time.time() - self._read_at <= REREAD_SECONDS:
            return False
        self._read()
        return self._matches(said)

    def _matches(self, said: bytes) -> bool:
        # A list: each is compared, so that the time tells nothing of which was nearer.
        return any([compare_digest(said, secret) for secret in self._secrets])  # noqa: C419

    def _read(self) -> None:
        self._read_at = time.time()
        try:
            self._secrets = list(read_secrets(self._arn))
        except Exception:
            # What was known stays good; without any, every request is answered 503 until the next attempt.
            logger.exception("the secret of CloudFront could not be read from %s", self._arn)


def read_secrets(arn: str) -> Iterator[bytes]:
    """Yield the current and the previous value of the secret `arn`, within seconds or not at all."""
    # Here, not above: of all stages only those with an edge load botocore for this.
    from botocore.config import Config

    from serverless_django.presigning import session

    bounds = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    client: Any = session().create_client("secretsmanager", config=bounds)
    for stage in STAGES:
        try:
            value = client.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"]
        except client.exceptions.ResourceNotFoundException:
            continue
        if value:
            yield value.encode()


def _is_health_check(event: Mapping[str, Any]) -> bool:
    """Return whether a load balancer asks by itself: to what clients send, it adds their host and address."""
    context = event.get("requestContext")
    return (
        isinstance(context, dict)
        and "elb" in context
        and event.get("path") in PROBES
        and not last_value(event, "host")
        and not last_value(event, "x-forwarded-for")
    )
