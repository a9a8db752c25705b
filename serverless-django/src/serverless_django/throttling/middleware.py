"""A member, and an address, may write so often a minute; more is 429 with Retry-After.

A view whose work is not one for each request charges for it by `request.charge`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from serverless_django.http.problems import UNAVAILABLE, unavailable
from serverless_django.throttling.buckets import Bucket, take_from_cache, take_from_database

logger = logging.getLogger(__name__)

READS = ("GET", "HEAD", "OPTIONS")
IPV6_PREFIX = 64
"""The network of one household: a client that has one of its addresses has all of them."""


class ThrottleMiddleware:
    """After the claims are known, and outside of the view's transaction: what was refused counts as well.

    Counted where all environments see it: in the cache if THROTTLE_STORE is "cache", else in the
    database, and there too while the cache is unavailable.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.charge = partial(charge, request)  # type: ignore[attr-defined]
        if request.method in READS:
            return self.get_response(request)
        try:
            empty = _take(list(buckets_of(request)))
        except UNAVAILABLE as error:
            # A write needs the database anyway; trying it again in the view would only take twice as long.
            return unavailable(request, error)
        return self.get_response(request) if empty is None else _too_many(empty)


def charge(request: HttpRequest, what: str, amount: int, limits: Mapping[timedelta, int]) -> timedelta | None:
    """Take `amount` of `what` from what the caller's member may have: a limit for each period of `limits`.

    Return after how long it can be had if one of the limits is too low for it now, else None.
    """
    subject = _subject_of(request)
    # The shortest period first: what it refuses is not taken from a day.
    buckets = [Bucket(f"{what}\0{period}\0{subject}", limits[period], period, amount) for period in sorted(limits)]
    empty = _take(buckets)
    return empty.cost if empty else None


def buckets_of(request: HttpRequest) -> Iterator[Bucket]:
    """Yield the buckets from which a write of `request` takes."""
    if getattr(request, "claims", None) and (limit := getattr(settings, "MEMBER_WRITES_PER_MINUTE", 0)):
        yield Bucket(f"member\0{_subject_of(request)}", limit)
    if limit := getattr(settings, "ADDRESS_WRITES_PER_MINUTE", 0):
        yield Bucket(f"address\0{network_of(client_address(request))}", limit)


def client_address(request: HttpRequest) -> str:
    """Return the address of the client, as the last machine of ours that saw it wrote it down."""
    seen: str = request.META.get("REMOTE_ADDR", "")
    # Each proxy appends the address that it saw; the client may have written what stands before these.
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    proxies: int = getattr(settings, "PROXIES_BEFORE_GATEWAY", 0)
    return hops[-1 - proxies] if proxies and len(hops) > proxies else seen


def network_of(address: str) -> str:
    """Return what one client surely has for itself: an IPv4 address, or a network of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)


def _subject_of(request: HttpRequest) -> str:
    claims: Mapping[str, Any] = getattr(request, "claims", None) or {}
    return f"{claims.get('iss', '')}\0{claims.get('sub', '')}"


def _take(buckets: list[Bucket]) -> Bucket | None:
    try:
        if getattr(settings, "THROTTLE_STORE", "database") == "cache":
            return take_from_cache(buckets)
    except ValueError as error:
        logger.info("writes are counted in the database: %s", error)
    return take_from_database(buckets)


def _too_many(bucket: Bucket) -> JsonResponse:
    whose = bucket.owner.partition("\0")[0]
    detail = f"this {whose} may write {bucket.limit:,} times a minute; wait a little"
    wait = max(1, ceil(bucket.cost.total_seconds()))
    return JsonResponse({"detail": detail}, status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})
