"""The issuer's public keys: a rotation locks no member out, and a flood of unknown key ids hardly asks for them.

- The set is fetched again after an hour, and when a token names a key that is not in it.
- The latter FETCHES_AT_ONCE times and then once in REFETCH_SECONDS, however many unknown ids are sent.
- A key is said to be unknown only after a fetch that began once its token was here.  Where no fetch is allowed, or it
  fails, the caller is asked to come again: a key that a fetch would bring is never refused.
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

from serverless_django.identity.issuer_keys import IssuerKey, read_key_set

logger = logging.getLogger(__name__)

FRESH_SECONDS = 3_600
UNLISTED_SECONDS = 7_200
STALE_SECONDS = 86_400
REFETCH_SECONDS = 1
"""Between two fetches of a flood; `Retry-After` says as much."""

FETCHES_AT_ONCE = 10
"""Before that: some odd tokens should keep no new key waiting."""

BURST_SECONDS = (FETCHES_AT_ONCE - 1) * REFETCH_SECONDS

RETRY_SECONDS = 10
"""After the issuer could not be reached."""

TIMEOUT_SECONDS = 2.0
MAX_BYTES = 200_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class KeysUnavailableError(ConnectionError):
    """The issuer's keys cannot be fetched now, so that the token is neither valid nor invalid."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    key: IssuerKey
    listed_at: float
    """When the issuer said last that it is one of its keys."""


class KeySet:
    """Keys by their ids.  Threads may share it: one at a time fetches, and a caller whose key is known never waits."""

    def __init__(
        self,
        url: str,
        *,
        algorithms: Collection[str],
        fetch: Callable[[str], Any] | None = None,
        # Wall-clock time: the monotonic clock may stop while Lambda is frozen.
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raise ValueError if another host than the issuer could answer `url`."""
        _check_url(url)
        self._url, self._algorithms, self._clock = url, algorithms, clock
        self._fetch = fetch or fetch_json
        self._keys: dict[str, ListedKey] = {}
        self._fetched_at = self._owed_until = float("-inf")
        # Numbers of the fetches that began, and of the last that brought keys.
        self._begun = self._done = 0
        self._lock = threading.Lock()

    def find(self, key_id: str) -> IssuerKey | None:
        """Return the key with `key_id`, or None if the issuer has none.

        Raise KeysUnavailableError if that cannot be told now.
        """
        begun, key = self._begun, self._known(key_id)
        if key is None:
            with self._lock:
                return self._known(key_id) or self._find_unknown(key_id, begun)
        # A caller whose key is known does not wait for another one that fetches.
        if self._age() >= FRESH_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._known(key_id)

    def _find_unknown(self, key_id: str, begun: int) -> IssuerKey | None:
        # A fetch that began before the token came may have missed its key.
        if self._done <= begun and not self._refresh():
            raise KeysUnavailableError(f"{self._url} failed, or was asked too often, to be asked for an unknown key")
        return self._known(key_id)

    def _known(self, key_id: str) -> IssuerKey | None:
        listed = self._keys.get(key_id)
        if listed is None or self._age() >= STALE_SECONDS:
            return None
        return listed.key if self._fetched_at - listed.listed_at < UNLISTED_SECONDS else None

    def _age(self) -> float:
        return abs(self._clock() - self._fetched_at)

    def _refresh(self) -> bool:
        """Fetch the keys if that is allowed now, and return whether they are here."""
        now = self._clock()
        owed = self._owed_until - now
        # A clock that was set back must not keep us from asking for long.
        if BURST_SECONDS < owed <= BURST_SECONDS + RETRY_SECONDS:
            return False
        self._begun += 1
        try:
            listed = read_key_set(self._fetch(self._url), algorithms=self._algorithms)
        except (OSError, ValueError, RecursionError) as error:
            self._owed_until = now + BURST_SECONDS + RETRY_SECONDS
            logger.warning("the keys of the issuer could not be had from %s: %r", self._url, error)
            return False
        self._owed_until = (self._owed_until if 0 < owed <= BURST_SECONDS else now) + REFETCH_SECONDS
        self._done = self._begun
        self._keep(listed, now)
        return True

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
