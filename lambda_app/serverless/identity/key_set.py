"""The issuer's public keys: a rotation locks nobody out, and no flood of tokens makes us ask again and again.

- The set is fetched again after an hour, and when a token names a key that is not in it.
- The latter once a minute at most, whoever sends how many tokens with whatever key ids.
- A key that left the set is trusted until two hours after it was seen there last, because tokens that it signed are
  still about; API Gateway keeps keys as long.
- While the issuer cannot be reached, its last keys are trusted for a day.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lambda_app.serverless.identity.issuer_keys import IssuerKey, read_key_set

logger = logging.getLogger(__name__)

FRESH_SECONDS = 3_600
UNLISTED_SECONDS = 7_200
STALE_SECONDS = 86_400
REFETCH_SECONDS = 60
RETRY_SECONDS = 10
"""After the issuer could not be reached."""

TIMEOUT_SECONDS = 2.0
MAX_BYTES = 200_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class KeysUnavailableError(ConnectionError):
    """The issuer's keys cannot be had, so that nobody can say whether a token is valid."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    key: IssuerKey
    listed_at: float
    """When the issuer said last that it is one of its keys."""


class KeySet:
    """Keys by their ids.  Threads may share it: one fetches, and who has a key does not wait."""

    def __init__(
        self,
        url: str,
        *,
        algorithms: Collection[str],
        fetch: Callable[[str], Any] | None = None,
        # The clock on the wall: the other one may stand still while Lambda is frozen.
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raise ValueError if `url` could be answered by somebody else than the issuer."""
        _check_url(url)
        self._url, self._algorithms, self._clock = url, algorithms, clock
        self._fetch = fetch or fetch_json
        self._keys: dict[str, ListedKey] = {}
        self._fetched_at = self._next_fetch = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str) -> IssuerKey | None:
        """Return the key with `key_id`, or None if the issuer has none.

        Raise KeysUnavailableError if there are no keys that may still be trusted.
        """
        if (key := self._known(key_id)) and self._age() < FRESH_SECONDS:
            return key
        # Whoever knows the key does not wait for who fetches.
        if self._lock.acquire(blocking=key is None):
            try:
                if self._known(key_id) is None or self._age() >= FRESH_SECONDS:
                    self._refresh()
            finally:
                self._lock.release()
        if self._age() >= STALE_SECONDS:
            raise KeysUnavailableError(f"{self._url} has given no keys for {STALE_SECONDS:,} s")
        return self._known(key_id)

    def _known(self, key_id: str) -> IssuerKey | None:
        listed = self._keys.get(key_id)
        if listed is None or self._age() >= STALE_SECONDS:
            return None
        return listed.key if self._fetched_at - listed.listed_at < UNLISTED_SECONDS else None

    def _age(self) -> float:
        return abs(self._clock() - self._fetched_at)

    def _refresh(self) -> None:
        now = self._clock()
        # A clock that was set back must not keep us from asking for long.
        if 0 < self._next_fetch - now <= REFETCH_SECONDS:
            return
        try:
            listed = read_key_set(self._fetch(self._url), algorithms=self._algorithms)
        except (OSError, ValueError, RecursionError) as error:
            self._next_fetch = now + RETRY_SECONDS
            logger.warning("the keys of the issuer could not be had from %s: %r", self._url, error)
            return
        # The first time is free: a key may be new just then.
        self._next_fetch = now if self._fetched_at == float("-inf") else now + REFETCH_SECONDS
        self._keep(listed, now)

    def _keep(self, listed: dict[str, IssuerKey], now: float) -> None:
        others = {id_: old for id_, old in self._keys.items() if now - old.listed_at < UNLISTED_SECONDS}
        self._keys = others | {key_id: ListedKey(key, now) for key_id, key in listed.items()}
        self._fetched_at = now


def fetch_json(url: str) -> Any:
    """Return the JSON at `url`.  Raise OSError if it does not answer in time, ValueError if that is no JSON."""
    # Loaded with the first token: most environments never need it.
    import urllib3

    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                "GET", url, timeout=TIMEOUT_SECONDS, retries=False, redirect=False, preload_content=False
            )
            body = response.read(MAX_BYTES + 1)
            response.close()
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionError(f"{url} did not answer: {error}") from error
    if response.status != 200 or len(body) > MAX_BYTES:
        raise ConnectionError(f"{url} answered {response.status} with {len(body):,} bytes or more")
    return json.loads(body)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"keys are fetched over https only, got {url!r}")
