"""Bucket, key and region → the address of an object, wherever it follows from them by a plain rule."""

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from django.core.exceptions import SuspiciousOperation

from serverless_django.presigning import endpoint_of

PLAIN_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""No dots, which the certificate of *.s3.amazonaws.com would not cover, and no ARN of an access point."""

PLAIN_REGION = re.compile(r"(af|ap|ca|eu|il|me|mx|sa|us)-(?!iso)[a-z]+-\d")
"""Of the partition whose names end in amazonaws.com."""


class NoPlainAddressError(ValueError):
    """The address follows from rules that only botocore knows."""


def check_segments(key: str) -> None:
    """Raise SuspiciousOperation if `key` has a segment "." or "..": clients resolve those, and ask for another key."""
    if not {".", ".."}.isdisjoint(key.split("/")):
        raise SuspiciousOperation(f"no URL can name {key!r}: clients resolve its dots; read it through the storage")


def address_of_object(bucket: str, key: str, *, region: str) -> str:
    """Return the URL of the object `key` in `bucket`, whose region is `region`, quoted and without a query.

    Raise SuspiciousOperation for a key that no URL can name, NoPlainAddressError if only botocore knows the rules for
    this bucket, region or endpoint.
    """
    check_segments(key)
    if not (PLAIN_BUCKET.fullmatch(bucket) and PLAIN_REGION.fullmatch(region)):
        raise NoPlainAddressError(f"bucket {bucket!r} in {region!r}")
    return f"{_origin(bucket, region)}/{quote(key, safe='/~')}"


def address_at(domain: str, key: str) -> str:
    """Return the URL of the object `key` at the CDN with the host name `domain`, quoted.

    Raise SuspiciousOperation for a key that no URL can name.
    """
    check_segments(key)
    return f"https://{domain}/{quote(key, safe='/~')}"


def _origin(bucket: str, region: str) -> str:
    endpoint = endpoint_of("s3")
    if not endpoint:
        # The first region has the global name for its own.
        return f"https://{bucket}.s3.amazonaws.com" if region == "us-east-1" else _regional(bucket, region)
    parts = urlsplit(endpoint)
    if parts.path not in ("", "/"):
        raise NoPlainAddressError(f"endpoint {endpoint!r}")
    # The name of a bucket cannot stand before an IP address.
    is_address = _is_ip_address(parts.hostname or "")
    return f"{parts.scheme}://{parts.netloc}/{bucket}" if is_address else f"{parts.scheme}://{bucket}.{parts.netloc}"


def _regional(bucket: str, region: str) -> str:
    return f"https://{bucket}.s3.{region}.amazonaws.com"


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
