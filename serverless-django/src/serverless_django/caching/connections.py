"""One lasting connection to Valkey, alone or in cluster mode, and a circuit breaker before it.

Loading this module loads the client library, so `valkey` does it with the first use of the cache.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from valkey import Valkey
from valkey.cluster import ValkeyCluster
from valkey.connection import ConnectionPool, SSLConnection, parse_url
from valkey.credentials import CredentialProvider
from valkey.exceptions import (
    AskError,
    ClusterError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
    ValkeyClusterException,
)
from valkey.exceptions import ConnectionError as LostConnectionError
from valkey.exceptions import TimeoutError as NoAnswerError

from serverless_django.presigning import find_signer, utc_now

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 0.1
ANSWER_TIMEOUT_SECONDS = 0.08
"""With the time to connect, less than the 200 ms that a request may lose to a cache that does not answer."""

PAUSE_SECONDS = 5.0
"""How long the cache is not asked after an outage: one request of an environment pays for it, not each."""

TOKEN_SECONDS = 900
"""ElastiCache takes a token for this long, and ends a connection made with one after 12 hours."""

OUTAGES = (OSError, LostConnectionError, NoAnswerError, ClusterError, ValkeyClusterException)
"""The server cannot be reached, or says of itself that it cannot serve.  Any other error is about the command."""

NO_ROOM = (OutOfMemoryError, ReadOnlyError)
"""Answers to writes of a server that goes on answering reads: the write is lost."""

REDIRECTIONS = (AskError, TryAgainError)
"""Slots are moving between nodes.  A MovedError is an AskError."""


class Connection:
    """Sends commands, and returns a fallback instead of an answer while the server does not give one."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url, self._options = url, dict(options)
        self._client: Any = None
        self._paused_until = 0.0

    def ask(self, key: str, command: Callable[[Any], Any], fallback: Any) -> Any:
        """Return `command(client)`, where the client is that of the node with `key`, or `fallback` during an outage.

        Raise ValkeyError if the server refuses the command itself.
        """
        return self._guarded(lambda client: _answer(client, key, command), fallback)

    def ask_each(self, keys: Iterable[str], command: Callable[[Any, str], Any], fallback: Any) -> Any:
        """Return the answer to `command(client, key)` for each of `keys`, in one round trip per node.

        Return `fallback` while the cache is unavailable.
        """
        return self._guarded(lambda client: dict(_answers(client, list(keys), command)), fallback)

    def count(self, key: str, delta: int) -> int | None:
        """Add `delta` to the number at `key` and return it, or None during an outage.

        Raise ValueError if there is no such key, TypeError if it holds no whole number.
        """
        try:
            answer = self.ask(key, lambda client: _count(client, key, delta), None)
        except ResponseError as error:
            raise TypeError(f"{key!r} cannot be counted: {error}") from error
        return None if answer is None else int(answer)

    def clear(self) -> bool:
        """Empty every node, and return whether that was done."""
        return bool(self._guarded(lambda client: client.flushdb(), False))

    def close(self) -> None:
        """Drop the client: the next command opens a connection, and asks a cluster again which node has which slots."""
        client, self._client = self._client, None
        if isinstance(client, Cluster):
            client.disconnect_connection_pools()  # type: ignore[no-untyped-call]
        elif client is not None:
            client.connection_pool.disconnect()

    def _guarded(self, command: Callable[[Any], Any], fallback: Any) -> Any:
        # Wall-clock time: the monotonic clock may stop while Lambda is frozen.
        if 0 <= self._paused_until - time.time() <= PAUSE_SECONDS:
            return fallback
        try:
            return self._attempt(command)
        except NO_ROOM as error:
            logger.warning("the cache takes no writes, this one is lost: %s", error)
        except OUTAGES as error:
            self.close()
            self._paused_until = time.time() + PAUSE_SECONDS
            logger.warning("the cache does not answer, and is not asked for %g s: %r", PAUSE_SECONDS, error)
        return fallback

    def _attempt(self, command: Callable[[Any], Any]) -> Any:
        try:
            return command(self._opened())
        except OUTAGES as error:
            if self._client is None or _has_timed_out(error):
                raise
        # The connection died while Lambda was frozen, or the cluster has changed: try once more with a new connection.
        self.close()
        return command(self._opened())

    def _opened(self) -> Any:
        if self._client is None:
            self._client = connect(self._url, self._options)
        return self._client


class Cluster(ValkeyCluster):
    """Finds the key of a command by itself, instead of asking the server for its list of all commands at each start."""

    def command(self, **_: Any) -> dict[str, Any]:
        return {}

    def determine_slot(self, *args: Any) -> int:
        return int(self.keyslot(args[1]))  # type: ignore[no-untyped-call]


class IamToken(CredentialProvider):
    """Signs in as a user of ElastiCache that has the name of the cache.  Signed here: no network."""

    def __init__(self, name: str) -> None:
        self._name = name

    def get_credentials(self) -> tuple[str, str]:
        """Raise MissingCredentialsError if the environment has no AWS credentials or region."""
        url = find_signer().presign(
            f"http://{self._name}/",
            service="elasticache",
            parameters={"Action": "connect", "User": self._name, "ResourceType": "ServerlessCache"},
            expires_in_seconds=TOKEN_SECONDS,
            now=utc_now(),
        )
        return self._name, url.removeprefix("http://")


def connect(url: str, options: Mapping[str, Any]) -> Any:
    """Return a client of the cluster, or of the single server, at `url`, with `options` of valkey-py.

    Raise one of OUTAGES if it does not answer.
    """
    address = parse_url(url)
    # Given to the pool: the cluster's client drops options that it does not know, ssl_check_hostname among them.
    pool = partial(ConnectionPool, **address | _settings(address, options))
    try:
        return Cluster(url=url, connection_pool_class=pool, cluster_error_retry_attempts=0)
    except ValkeyClusterException as error:
        if not _is_single(error):
            raise
    return Valkey(connection_pool=pool())


def _settings(address: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": ANSWER_TIMEOUT_SECONDS,
        # What the library would tell the server of itself costs two round trips per connection.
        "lib_name": None,
        "lib_version": None,
    }
    if address.get("connection_class") is SSLConnection:
        settings["ssl_check_hostname"] = True
    settings |= options
    if name := settings.pop("iam_name", ""):
        settings["credential_provider"] = IamToken(name)
    return settings


def _count(client: Any, key: str, delta: int) -> Any:
    if not client.execute_command("EXISTS", key):
        raise ValueError(f"Key {key!r} not found")
    return client.incrby(key, delta)


def _answer(client: Any, key: str, command: Callable[[Any], Any]) -> Any:
    # Past the cluster's client, which would ask the other nodes for theirs while its caller waits for a silent one.
    try:
        return command(_node(client, key))
    except REDIRECTIONS:
        return command(client)


def _answers(client: Any, keys: list[str], command: Callable[[Any, str], Any]) -> Iterator[tuple[str, Any]]:
    by_node: dict[Any, list[str]] = {}
    for key in keys:
        by_node.setdefault(_node(client, key), []).append(key)
    try:
        for node, of_node in by_node.items():
            pipeline = node.pipeline(transaction=False)
            for key in of_node:
                command(pipeline, key)
            yield from zip(of_node, pipeline.execute(), strict=True)
    except REDIRECTIONS:
        # One by one, as the cluster's client follows redirections.
        yield from ((key, command(client, key)) for key in keys)


def _node(client: Any, key: str) -> Any:
    """Return the client of the node that has `key`."""
    if not isinstance(client, Cluster):
        return client
    return client.get_valkey_connection(client.get_node_from_key(key))  # type: ignore[no-untyped-call]


def _is_single(error: BaseException) -> bool:
    """Tell whether a server answered that it knows no clusters."""
    cause = error.__cause__
    return isinstance(cause, ValkeyClusterException) and isinstance(cause.__context__, ResponseError)


def _has_timed_out(error: BaseException | None) -> bool:
    """Tell whether `error`, or the one that it hides, is that of a server which does not answer."""
    while error is not None:
        if isinstance(error, TimeoutError | NoAnswerError):
            return True
        error = error.__context__
    return False
