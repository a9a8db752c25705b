"""Django's cache on Valkey: shared by all environments, and never waited for when the server does not answer.

    CACHES = {"default": {"BACKEND": "serverless_django.caching.valkey.ValkeyCache", "LOCATION": "rediss://..."}}

The server may be alone or a cluster.  OPTIONS are those of valkey-py's client, and `iam_name`, with which
`connections.IamToken` signs in to ElastiCache.  During an outage reads miss and writes are lost.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.exceptions import ImproperlyConfigured

from serverless_django.caching.serializer import UnreadableValueError, decode, encode

if TYPE_CHECKING:
    from serverless_django.caching.connections import Connection

logger = logging.getLogger(__name__)

COMPUTE_SECONDS = 10
"""Until then other processes leave a missing value to the one that computes it."""

WAIT_SECONDS = 0.5
"""Seconds a caller waits for another process to fill a missing key before computing the value itself."""

POLL_SECONDS = 0.01

MISSING = object()


class CacheUnavailableError(ValueError):
    """A counter cannot be moved during an outage.  A ValueError, as for a key that is not there."""


class ValkeyCache(BaseCache):
    """Fulfils Django's contract for caches; what is stored is data, see `serializer`."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        if not isinstance(server, str) or not server:
            raise ImproperlyConfigured(
                f"LOCATION of the cache should be one URL such as 'rediss://host:6379', got {server!r}; "
                "of a cluster, name any node: the others are found through it"
            )
        self._url, self._options = server, params.get("OPTIONS", {})

    @cached_property
    def connection(self) -> "Connection":
        from serverless_django.caching.connections import Connection

        return Connection(self._url, self._options)

    def disconnect(self) -> None:
        """Close the connection, which lasts through requests otherwise; the next command makes another."""
        if "connection" in self.__dict__:
            self.connection.close()

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        name = self.make_and_validate_key(key, version)
        return _value_of(self.connection.ask(name, lambda client: client.get(name), None), default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        names = {self.make_and_validate_key(key, version): key for key in keys}
        stored = self.connection.ask_each(names, lambda client, name: client.get(name), {})
        values = {names[name]: _value_of(item, MISSING) for name, item in stored.items()}
        return {key: value for key, value in values.items() if value is not MISSING}

    def set(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        name, stored = self.make_and_validate_key(key, version), encode(value)
        milliseconds = self._milliseconds(timeout)
        self.connection.ask(name, lambda client: _store(client, name, stored, milliseconds), None)

    def set_many(
        self, data: Mapping[Any, Any], timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        stored = {self.make_and_validate_key(key, version): encode(value) for key, value in data.items()}
        milliseconds = self._milliseconds(timeout)
        done = self.connection.ask_each(
            stored, lambda client, name: _store(client, name, stored[name], milliseconds), None
        )
        return list(data) if done is None else []

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, stored = self.make_and_validate_key(key, version), encode(value)
        milliseconds = self._milliseconds(timeout)
        if milliseconds == 0:
            return not self.has_key(key, version)
        return bool(self.connection.ask(name, lambda client: client.set(name, stored, px=milliseconds, nx=True), True))

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, milliseconds = self.make_and_validate_key(key, version), self._milliseconds(timeout)
        if milliseconds is None:
            self.connection.ask(name, lambda client: client.persist(name), None)
            return self.has_key(key, version)
        return bool(self.connection.ask(name, lambda client: client.pexpire(name, milliseconds), False))

    def delete(self, key: Any, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version)
        return bool(self.connection.ask(name, lambda client: _delete(client, name), 0))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        self.connection.ask_each([self.make_and_validate_key(key, version) for key in keys], _delete, None)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version)
        return bool(self.connection.ask(name, lambda client: client.execute_command("EXISTS", name), 0))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Add `delta` to the number at `key` in `version` and return the sum.

        Raise ValueError if `key` is missing or the cache is unavailable, TypeError if the value is not a whole number.
        """
        name = self.make_and_validate_key(key, version)
        number = self.connection.count(name, delta)
        if number is None:
            raise CacheUnavailableError(f"the cache does not answer, so {key!r} cannot be counted; count elsewhere")
        return number

    def clear(self) -> bool:  # type: ignore[override]
        return self.connection.clear()

    def get_or_set(
        self, key: Any, default: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> Any:
        """Return the value of `key` in `version`; if there is none, one process stores what it computes with `default`.

        The value is kept for `timeout` seconds.  Other processes wait for it up to WAIT_SECONDS, then compute it
        themselves.
        """
        lock, deadline = f"{key}:lock", time.monotonic() + WAIT_SECONDS
        while (value := self.get(key, MISSING, version)) is MISSING:
            if self.add(lock, 1, COMPUTE_SECONDS, version) or time.monotonic() > deadline:
                return self._compute(key, default, timeout, version)
            time.sleep(POLL_SECONDS)
        return value

    def _compute(self, key: Any, default: Any, timeout: float | None, version: int | None) -> Any:
        try:
            # Another process may have finished between our look and our lock.
            if (value := self.get(key, MISSING, version)) is MISSING:
                value = self._keep(key, default() if callable(default) else default, timeout, version)
        finally:
            self.delete(f"{key}:lock", version)
        return value

    def _keep(self, key: Any, value: Any, timeout: float | None, version: int | None) -> Any:
        """Store `value` unless another process has stored one, and return the one that is there then."""
        if self.add(key, value, timeout, version):
            return value
        if (stored := self.get(key, MISSING, version)) is not MISSING:
            return stored
        # There is one that cannot be read.
        self.set(key, value, timeout, version)
        return value

    def _milliseconds(self, timeout: float | None) -> int | None:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else max(0, int(seconds * 1000))


def _value_of(stored: bytes | None, default: Any) -> Any:
    if stored is None:
        return default
    try:
        return decode(stored)
    except UnreadableValueError as error:
        # Stored by an older release, which pickled, by a later one, or by another program: a miss, to be overwritten.
        logger.info("a stored value counts as missing: %s", error)
        return default


def _store(client: Any, name: str, stored: bytes, milliseconds: int | None) -> Any:
    return _delete(client, name) if milliseconds == 0 else client.set(name, stored, px=milliseconds)


def _delete(client: Any, name: str) -> Any:
    return client.execute_command("DEL", name)
