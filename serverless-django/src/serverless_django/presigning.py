"""URLs that carry their own permission: AWS's Signature Version 4 in the query, made here, in microseconds.

botocore makes the same ones (a test compares them), but takes a tenth of a second to load and
200 µs for each: a page of pictures signs sixty, and every cold start a token for its database.
"""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from botocore.session import Session

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY = sha256(b"").hexdigest()

_SIGNATURE = b"X-Amz-Signature="
_OF_SIGNER = re.compile(rb"X-Amz-(?:Credential|Security-Token|Signature)=[^&\"'<>\s]*")


class MissingCredentialsError(RuntimeError):
    """There is nothing to sign with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, and where."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str

    def presign(
        self,
        url: str,
        *,
        service: str,
        parameters: Mapping[str, str],
        expires_in_seconds: int,
        now: datetime,
        payload_hash: str = EMPTY,
    ) -> str:
        """Return `url`, which has no query and a quoted path, signed for a GET within `expires_in_seconds` from `now`.

        `service` is the name that AWS signs with, such as "s3"; `parameters` are those of the query; `payload_hash` is
        the SHA-256 of the body in hexadecimal.
        """
        _, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        timestamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{timestamp[:8]}/{self.region}/{service}/aws4_request"
        query = _encode(dict(parameters) | self._authorization(scope, timestamp, expires_in_seconds))
        canonical = f"GET\n/{path}\n{query}\nhost:{host}\n\nhost\n{payload_hash}"
        to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(self.secret_key, timestamp[:8], self.region, service)
        return f"{url}?{query}&X-Amz-Signature={hmac.new(key, to_sign.encode(), sha256).hexdigest()}"

    def sign_post(
        self, url: str, *, service: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> dict[str, str]:
        """Return `headers` and those that sign a POST of `body` to the root of `url`, which has no path.

        `service` is the name that AWS signs with, such as "sqs"; `now` is the time of the signature.
        """
        timestamp = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{timestamp[:8]}/{self.region}/{service}/aws4_request"
        token = {"x-amz-security-token": self.token} if self.token else {}
        signed = {"host": url.partition("://")[2], "x-amz-date": timestamp, **headers, **token}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(self.secret_key, timestamp[:8], self.region, service)
        signature = hmac.new(key, to_sign.encode(), sha256).hexdigest()
        credential = f"{ALGORITHM} Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return signed | {"authorization": credential}

    def _authorization(self, scope: str, timestamp: str, expires_in_seconds: int) -> dict[str, str]:
        return {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{scope}",
            "X-Amz-Date": timestamp,
            "X-Amz-Expires": str(expires_in_seconds),
            "X-Amz-SignedHeaders": "host",
        } | ({"X-Amz-Security-Token": self.token} if self.token else {})


def has_signature(content: bytes) -> bool:
    """Return whether a presigned URL may be in `content`."""
    return _SIGNATURE in content


def without_signer(content: bytes) -> bytes:
    """Return `content` with its presigned URLs reduced to what they address and when they were signed."""
    return _OF_SIGNER.sub(b"", content)


def find_signer() -> Signer:
    """Return who this process is for AWS: by Lambda's own variables, or by whatever else botocore finds.

    Raise MissingCredentialsError if there are no AWS credentials, or no region.
    """
    variables = os.environ
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    access_key, secret_key, region = (variables.get(name, "") for name in names)
    if access_key and secret_key and region:
        token = variables.get("AWS_SESSION_TOKEN")
        return Signer(access_key=access_key, secret_key=secret_key, token=token, region=region)
    return _signer_of_botocore()


def endpoint_of(service: str) -> str:
    """Return where `service` is reached if not at its own address, as all of AWS's tools read it; else ""."""
    return os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL", "")


def utc_now() -> datetime:
    return datetime.now(UTC)


def _signer_of_botocore() -> Signer:
    # With SnapStart there are no keys among the variables: they would have expired with the snapshot.
    credentials, region = session().get_credentials(), session().get_config_variable("region")
    if credentials is None or region is None:
        raise MissingCredentialsError("no AWS credentials or region to sign with; see AWS_* variables")
    keys = credentials.get_frozen_credentials()
    if not keys.access_key or not keys.secret_key:
        raise MissingCredentialsError("AWS credentials are incomplete; see AWS_* variables")
    return Signer(access_key=keys.access_key, secret_key=keys.secret_key, token=keys.token, region=region)


@cache
def session() -> "Session":
    """Return botocore's session, loaded when first asked for."""
    # Kept: it renews credentials that expire, and finding them again costs more than signing.
    from botocore.session import get_session

    return get_session()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """Return the key of one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def _encode(parameters: Mapping[str, str]) -> str:
    return urlencode(sorted(parameters.items()), safe="-_.~", quote_via=quote)
