"""Django's Redis cache for Valkey: what is away is a miss within 200 ms, and what expires is computed by one process.

    CACHES = {"default": {"BACKEND": "lambda_app.serverless.caching.valkey.ValkeyCache", "LOCATION": "rediss://..."}}

Loading this module does not load the client: the first use does.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 0.1
ANSWER_TIMEOUT_SECONDS = 0.08
"""With the time to connect, less than the 200 ms that a request may lose to a cache that is away."""

AWAY_SECONDS = 5.0
"""How long nobody asks again after a failure: one request of an environment pays for an outage, not each."""

GRACE = timedelta(minutes=5)
"""How long an expired value is kept, for those who come while one process computes the next."""

COMPUTE_SECONDS = 10
"""After which nobody waits any more for who said that they would compute a value."""

WAIT_SECONDS = 0.5
"""How long who comes to an empty place waits for the one who fills it."""

POLL_SECONDS = 0.01


class CacheAwayError(ValueError):
    """A counter cannot be moved: the cache is away.  A ValueError, as for a key that is not there."""


@dataclass(frozen=True, slots=True)
class Held:
    """A value of `get_or_set`, which is kept for longer than it is fresh."""

    value: Any
    fresh_until: float

    @property
    def is_fresh(self) -> bool:
        return time.time() < self.fresh_until


def _unless_away(operation: Callable[..., Any], default: Callable[..., Any]) -> Any:
    """Return what `default` makes of the arguments while the cache is away: at once, but for the first who notices."""

    @wraps(operation)
    def bounded(cache: "ValkeyCache", *args: Any, **kwargs: Any) -> Any:
        if cache.is_away:
            return default(*args, **kwargs)
        try:
            return operation(cache, *args, **kwargs)
        except Exception as error:
            if not _is_of_client(error):
                raise
            cache.note_away(error)
        return default(*args, **kwargs)

    return bounded


def _is_of_client(error: Exception) -> bool:
    from redis.exceptions import RedisError

    return isinstance(error, RedisError | OSError)


def _given_default(key: Any, default: Any = None, version: int | None = None) -> Any:
    return default


def _refuse(key: Any, *args: Any, **kwargs: Any) -> int:
    raise CacheAwayError(f"the cache is away, so {key!r} cannot be counted; ask again in {AWAY_SECONDS:g} s")


class KeptClient(RedisCacheClient):
    """Django makes a client for each operation, which takes longer than the operation; this keeps one for each pool."""

    _servers: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if len(self._servers) > 1:
            return super().get_client(key, write=write)
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class ValkeyCache(RedisCache):
    """Fails open: reads miss, writes are lost, and an outage is one warning."""

    _servers: list[str]
    _options: dict[str, Any]

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._away_until = 0.0

    @cached_property
    def _cache(self) -> Any:
        # Not before: the client's import is not for an environment that never asks.
        return KeptClient(self._servers, **{**_bounds(), **self._options})

    @property
    def is_away(self) -> bool:
        # The clock on the wall: the other one may stand still while Lambda is frozen.
        return 0 <= self._away_until - time.time() <= AWAY_SECONDS

    def note_away(self, error: Exception) -> None:
        """Let nobody wait for the cache for a while."""
        self._away_until = time.time() + AWAY_SECONDS
        logger.warning("the cache is away, for %g s nobody asks it: %r", AWAY_SECONDS, error)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        found = self._get(key, default, version)
        return found.value if isinstance(found, Held) else found

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        found = self._get_many(keys, version)
        return {key: value.value if isinstance(value, Held) else value for key, value in found.items()}

    _get = _unless_away(RedisCache.get, _given_default)
    _get_many = _unless_away(RedisCache.get_many, lambda keys, version=None: {})
    set = _unless_away(RedisCache.set, lambda *args, **kwargs: None)
    add = _unless_away(RedisCache.add, lambda *args, **kwargs: True)
    touch = _unless_away(RedisCache.touch, lambda *args, **kwargs: False)
    delete = _unless_away(RedisCache.delete, lambda *args, **kwargs: False)
    has_key = _unless_away(RedisCache.has_key, lambda *args, **kwargs: False)
    set_many = _unless_away(RedisCache.set_many, lambda data, *args, **kwargs: list(data))
    delete_many = _unless_away(RedisCache.delete_many, lambda *args, **kwargs: None)
    incr = _unless_away(RedisCache.incr, _refuse)
    clear = _unless_away(RedisCache.clear, lambda: False)

    def get_or_set(
        self, key: Any, default: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> Any:
        """Return the value of `key`; if it is missing or expired one process computes it, by calling `default`.

        Meanwhile others get the expired value, or wait a moment where there is none.
        """
        held = self._read_held(key, version)
        if held is not None and held.is_fresh:
            return held.value
        if not self.add(f"{key}:lock", 1, COMPUTE_SECONDS, version):
            held = held or self._wait(key, version)
            if held is not None:
                return held.value
        return self._compute(key, default, timeout, version)

    def _read_held(self, key: Any, version: int | None) -> Held | None:
        found = self._get(key, None, version)
        return found if found is None or isinstance(found, Held) else Held(found, float("inf"))

    def _wait(self, key: Any, version: int | None) -> Held | None:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and not self.is_away:
            time.sleep(POLL_SECONDS)
            if (held := self._read_held(key, version)) is not None:
                return held
        return None

    def _compute(self, key: Any, default: Any, timeout: float | None, version: int | None) -> Any:
        try:
            value = default() if callable(default) else default
            seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
            fresh_until = float("inf") if seconds is None else time.time() + seconds
            kept = None if seconds is None else seconds + GRACE.total_seconds()
            self.set(key, Held(value, fresh_until), kept, version)
        finally:
            self.delete(f"{key}:lock", version)
        return value


def _bounds() -> dict[str, Any]:
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as LostConnectionError
    from redis.retry import Retry

    return {
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": ANSWER_TIMEOUT_SECONDS,
        # A connection that died while Lambda was frozen says so at once: another is worth it.  A timeout is not.
        "retry": Retry(NoBackoff(), 1, supported_errors=(LostConnectionError,)),
    }
