"""The cache on a real Valkey, alone and in cluster mode: Django's contract, and never waited for in an outage."""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import CacheKeyWarning

from serverless_django.caching import connections, valkey
from serverless_django.caching.valkey import CacheUnavailableError, ValkeyCache
from serverless_django.local.emulator import free_port
from tests import valkeys


@pytest.fixture(scope="module", params=valkeys.KINDS)
def servers(request):
    with valkeys.running(request.param) as running:
        yield running


@pytest.fixture
def connect(servers):
    """Return a maker of caches, which are closed at the end."""
    made = []

    def connect(url=servers[0].url, **params):
        made.append(ValkeyCache(url, {"KEY_PREFIX": "test", **params}))
        return made[-1]

    yield connect
    for cache in made:
        cache.disconnect()


@pytest.fixture
def cache(connect):
    cache = connect()
    assert cache.clear()
    return cache


@pytest.fixture(params=["absent", "silent"])
def unavailable(request, connect):
    """A cache at a port where nothing listens, or where connections are taken and never answered."""
    if request.param == "absent":
        yield connect(f"redis://127.0.0.1:{free_port()}/0")
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield connect(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")


MANY = {f"key-{number}": number for number in range(50)}
"""Enough that each of three nodes has some, in as many slots."""


# --- Django's contract ------------------------------------------------------------------------------------------------


def test_what_is_set_is_read_by_another_process(cache, connect):
    cache.set("key", {"a": 1}, 60)

    assert connect().get("key") == {"a": 1}


def test_many_keys_of_many_slots_are_set_read_and_deleted(cache):
    assert cache.set_many(MANY) == []
    assert cache.get_many([*MANY, "missing"]) == MANY

    cache.delete_many(MANY)

    assert cache.get_many(MANY) == {}


@pytest.mark.parametrize("keys", [[], {}])
def test_no_keys_are_no_fault(cache, keys):
    assert (cache.set_many({}), cache.get_many(keys), cache.delete_many(keys)) == ([], {}, None)


def test_a_value_is_added_only_where_there_is_none(cache):
    assert (cache.add("key", 1), cache.add("key", 2), cache.get("key")) == (True, False, 1)


def test_none_is_a_value(cache):
    cache.set("key", None)

    assert (cache.get("key", "default"), cache.has_key("key"), "key" in cache) == (None, True, True)
    assert cache.get_many(["key"]) == {"key": None}
    assert cache.get_or_set("key", lambda: pytest.fail("computed")) is None
    assert cache.add("key", 1) is False


def test_deleting_tells_whether_there_was_something(cache):
    cache.set("key", 1)

    assert (cache.delete("key"), cache.delete("key"), cache.has_key("key")) == (True, False, False)


def test_numbers_are_counted(cache):
    cache.set("key", 41)

    assert (cache.incr("key"), cache.incr("key", 10), cache.decr("key"), cache.decr("key", -8)) == (42, 52, 51, 59)
    assert cache.get("key") == 59


def test_a_number_that_get_or_set_has_stored_is_counted(cache):
    assert cache.get_or_set("key", 0) == 0
    assert cache.get_or_set("other", lambda: 7, 60) == 7

    assert (cache.incr("key"), cache.incr("other"), cache.get("key")) == (1, 8, 1)


def test_a_counter_keeps_its_timeout(cache):
    cache.set("key", 1, 0.2)
    cache.incr("key")
    time.sleep(0.25)

    assert cache.get("key") is None


@pytest.mark.parametrize("count", ["incr", "decr"])
def test_what_is_not_there_cannot_be_counted(cache, count):
    with pytest.raises(ValueError, match="Key 'test:1:key' not found"):
        getattr(cache, count)("key")

    assert cache.has_key("key") is False


@pytest.mark.parametrize("value", ["text", None, True, 1.5, [1], 2**63 - 1, 2**64])
def test_what_is_no_small_number_cannot_be_counted_and_the_cache_goes_on_answering(cache, value):
    cache.set("key", value)

    with pytest.raises(TypeError, match="'test:1:key' cannot be counted"):
        cache.incr("key")

    assert cache.get("key") == value


@pytest.mark.parametrize("timeout", [0, -1, 0.0001])
def test_a_timeout_that_is_over_stores_nothing_and_deletes_what_was_there(cache, timeout):
    cache.set("key", "old")
    cache.set("key", "new", timeout)
    cache.set_many({"key": 1, "other": 2}, timeout)

    assert (cache.get("key"), cache.get("other")) == (None, None)
    assert (cache.add("key", 1, timeout), cache.get("key")) == (True, None)


def test_a_value_is_never_returned_past_its_timeout(cache):
    cache.set("a", 1, 0.1)
    cache.set_many({"b": 1}, 0.1)
    cache.add("c", 1, 0.1)
    cache.get_or_set("d", lambda: 1, 0.1)
    cache.set("e", 1)
    cache.touch("e", 0.1)
    time.sleep(0.15)

    assert cache.get_many("abcde") == {}
    assert [cache.get(key) for key in "abcde"] == [None] * 5
    assert cache.get_or_set("d", lambda: 2, 0.1) == 2


def test_touching_moves_the_end_of_a_value_and_tells_whether_there_is_one(cache):
    cache.set("key", 1, 0.2)

    assert (cache.touch("key", 60), cache.touch("missing"), cache.touch("missing", None)) == (True, False, False)
    assert (cache.touch("key", None), cache.touch("key", None)) == (True, True)
    time.sleep(0.25)
    assert cache.get("key") == 1
    assert (cache.touch("key", 0), cache.get("key")) == (True, None)


def test_a_value_without_a_timeout_has_that_of_the_cache(connect):
    cache = connect(TIMEOUT=0.1)
    cache.set("key", 1)
    cache.set("lasting", 1, None)
    time.sleep(0.15)

    assert cache.get_many(["key", "lasting"]) == {"lasting": 1}


def test_versions_and_prefixes_keep_values_apart(cache, connect):
    cache.set("key", 1)
    cache.set("key", 2, version=2)
    other = connect(KEY_PREFIX="other", VERSION=2)
    other.set("key", 3)

    assert (cache.get("key"), cache.get("key", version=2), other.get("key")) == (1, 2, 3)
    assert (cache.incr_version("key", 2), cache.get("key"), cache.get("key", version=3)) == (3, None, 1)
    assert (cache.decr_version("key", version=3), cache.get("key", version=2)) == (2, 1)
    with pytest.raises(ValueError, match="not found"):
        cache.incr_version("missing")


def test_a_key_may_be_any_object_with_a_name(cache):
    cache.set_many({1: "a", 2.5: "c", "ключ": "d"})

    assert cache.get_many([1, 2.5, "ключ"]) == {1: "a", 2.5: "c", "ключ": "d"}


def test_a_key_that_another_backend_would_refuse_is_warned_of(cache):
    with pytest.warns(CacheKeyWarning, match="errors if used with memcached"):
        cache.set("key with spaces", 1)
    with pytest.warns(CacheKeyWarning):
        assert cache.get_many(["key with spaces"]) == {"key with spaces": 1}


def test_clearing_empties_every_node(cache):
    cache.set_many(MANY)

    assert cache.clear() is True
    assert cache.get_many(MANY) == {}


def test_an_uncacheable_value_is_refused_before_anything_is_written(cache):
    with pytest.raises(TypeError, match="generator cannot be cached"):
        cache.set("key", (value for value in ()))
    with pytest.raises(TypeError, match="object cannot be cached"):
        cache.set_many({"key": 1, "other": object()})

    assert cache.get_many(["key", "other"]) == {}


async def _asynchronously(cache):
    await cache.aset("key", 41)
    await cache.aset_many({"a": 1, "b": 2})
    found = [
        await cache.aget("key"), await cache.aincr("key"), await cache.adecr("key", 2), await cache.aadd("key", 1),
        await cache.aget_many(["a", "b", "c"]), await cache.ahas_key("a"), await cache.atouch("a", 60),
        await cache.aget_or_set("new", lambda: 5), await cache.adelete("a"), await cache.aincr_version("b"),
    ]  # fmt: skip
    await cache.adelete_many(["key", "new"])
    return [*found, await cache.aget_many(["key", "new"]), await cache.aclear(), await cache.aclose()]


def test_the_asynchronous_methods_do_the_same(cache):
    # Not asyncio.run: Django's wrappers run on the thread that waits here, as within a request.
    from asgiref.sync import async_to_sync

    assert async_to_sync(_asynchronously)(cache) == [
        41, 42, 40, False, {"a": 1, "b": 2}, True, True, 5, True, 2, {}, True, None
    ]  # fmt: skip


def test_the_cache_of_one_request_is_that_of_the_next_with_its_connection(settings, servers):
    settings.CACHES = {
        "default": {"BACKEND": "serverless_django.caching.valkey.ValkeyCache", "LOCATION": servers[0].url}
    }
    kept = caches["default"]
    for _ in range(3):
        copy_context().run(lambda: caches["default"].get_many(MANY))
        caches.close_all()

    assert copy_context().run(lambda: caches["default"]) is kept
    assert [connected(server, to="get") for server in servers] == [1] * len(servers)
    kept.disconnect()


def connected(server, *, to):
    """Return how many connections there are that sent the command `to` last."""
    return server.command("CLIENT", "LIST").count(f"cmd={to} ")


# --- computed by one process ------------------------------------------------------------------------------------------


def test_a_missing_value_is_computed_once_for_a_crowd(cache):
    computed = []

    def compute():
        computed.append(1)
        time.sleep(0.1)
        return 42

    with ThreadPoolExecutor(20) as pool:
        values = list(pool.map(lambda _: cache.get_or_set("key", compute, 60), range(20)))

    assert (set(values), len(computed), cache.get("key")) == ({42}, 1, 42)


def test_a_computation_that_failed_is_left_to_the_next(cache):
    def fail():
        raise ValueError("no such post")

    with pytest.raises(ValueError, match="no such post"):
        cache.get_or_set("key", fail, 60)

    assert cache.get_or_set("key", lambda: 42, 60) == 42


def test_a_process_that_never_finishes_is_not_waited_for_without_end(cache, monkeypatch):
    monkeypatch.setattr(valkey, "WAIT_SECONDS", 0.05)
    cache.add("key:lock", 1, 60)

    assert cache.get_or_set("key", lambda: 42, 60) == 42


# --- outages ----------------------------------------------------------------------------------------------------------


def test_in_an_outage_reads_miss_and_writes_are_lost(unavailable):
    assert (unavailable.get("a", "default"), unavailable.get_many(["a"]), unavailable.has_key("a")) == (
        "default",
        {},
        False,
    )
    assert (unavailable.set("a", 1), unavailable.set_many({"a": 1})) == (None, ["a"])
    assert (unavailable.add("a", 1), unavailable.touch("a"), unavailable.delete("a")) == (True, False, False)
    assert (unavailable.delete_many(["a"]), unavailable.clear(), unavailable.has_key("a")) == (None, False, False)
    assert unavailable.get_or_set("a", lambda: 42, 60) == 42


def test_in_an_outage_nothing_is_counted(unavailable):
    with pytest.raises(CacheUnavailableError, match="'visits' cannot be counted"):
        unavailable.incr("visits")


def test_an_outage_is_noticed_and_logged_once(unavailable, caplog, monkeypatch):
    attempts = []
    monkeypatch.setattr(
        connections, "connect", lambda *args, real=connections.connect: attempts.append(1) or real(*args)
    )
    for _ in range(5):
        unavailable.get_many(MANY)
        unavailable.set_many(MANY)

    assert len([record for record in caplog.records if "the cache does not answer" in record.message]) == 1
    assert len(attempts) == 1


def test_after_an_outage_the_cache_is_asked_again(cache, monkeypatch):
    cache.set("key", 1)
    monkeypatch.setattr(cache.connection, "_paused_until", time.time() + 1)
    during = cache.get("key")
    monkeypatch.setattr(cache.connection, "_paused_until", time.time() - 1)

    assert (during, cache.get("key")) == (None, 1)


def test_a_clock_that_was_set_back_does_not_prolong_an_outage(cache, monkeypatch):
    cache.set("key", 1)
    monkeypatch.setattr(cache.connection, "_paused_until", time.time() + 3600)

    assert cache.get("key") == 1


def test_a_frozen_server_is_a_miss_and_its_thaw_is_noticed(cache, servers, monkeypatch):
    cache.set("key", 1)
    for server in servers:
        os.kill(server.pid, signal.SIGSTOP)
    try:
        frozen = cache.get("key", "miss")
    finally:
        for server in servers:
            os.kill(server.pid, signal.SIGCONT)
    monkeypatch.setattr(cache.connection, "_paused_until", 0.0)

    assert (frozen, cache.get("key")) == ("miss", 1)


def test_a_connection_that_died_in_between_is_replaced_at_once(cache, servers, caplog):
    cache.set_many(MANY)
    for server in servers:
        server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    assert cache.get("key-1") == 1
    assert cache.get_many(MANY) == MANY
    assert not caplog.records


def test_a_connection_of_which_the_end_is_seen_while_it_is_used_is_replaced_at_once(cache, caplog):
    """As after a freeze: the goodbye of the server arrives when something is sent."""
    cache.set("key", 1)
    client = cache.connection._client
    real = client.execute_command

    def reset(*args, **kwargs):
        client.execute_command = real
        raise ConnectionResetError("reset by peer")

    client.execute_command = reset

    assert cache.get("key") == 1
    assert not caplog.records


# --- answers that are errors ------------------------------------------------------------------------------------------


def test_a_command_that_the_server_refuses_is_raised_and_is_no_outage(cache):
    cache.set("key", 1)

    with pytest.raises(Exception, match="not an integer"):
        cache.set("key", 2, 10**30)

    assert cache.get("key") == 1


def test_a_full_cache_loses_writes_and_is_read(cache, servers, caplog):
    cache.set("key", 1)
    for server in servers:
        server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        lost = cache.set("key", 2), cache.set_many({"a": 1}), cache.get("key")
        with pytest.raises(CacheUnavailableError):
            cache.incr("key")
    finally:
        for server in servers:
            server.command("CONFIG", "SET", "maxmemory", str(64 << 20))

    assert lost == (None, ["a"], 1)
    assert "the cache takes no writes" in caplog.text
    cache.set("key", 3)
    assert cache.get("key") == 3


# --- clusters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("servers", ["a cluster of three nodes"], indirect=True)
def test_slots_that_move_to_another_node_are_followed(cache, servers, caplog):
    cache.set_many(MANY)
    ids = [server.command("CLUSTER", "MYID").splitlines()[1] for server in servers]
    slot = cache.connection._client.keyslot("test:1:key-1")
    source = next(number for number, server in enumerate(servers) if slot in server.slots)
    target = (source + 1) % 3
    try:
        cache.delete("key-1")
        move(servers, ids, slot, source, target)
        assert cache.get_many(MANY) == {key: value for key, value in MANY.items() if key != "key-1"}
        cache.set_many(MANY)
        assert (cache.get("key-1"), cache.get_many(MANY)) == (1, MANY)
        cache.delete_many(MANY)
        assert cache.get_many(MANY) == {}
    finally:
        move(servers, ids, slot, target, source)
    assert not [record for record in caplog.records if "does not answer" in record.message]


def move(servers, ids, slot, source, target):
    """Give `slot`, which is empty, to another node."""
    for server in (servers[target], servers[source], *servers):
        server.command("CLUSTER", "SETSLOT", str(slot), "NODE", ids[target])


@pytest.mark.parametrize("servers", ["a cluster of three nodes"], indirect=True)
def test_a_node_that_fell_silent_costs_each_command_one_timeout(cache, servers):
    cache.set_many(MANY)
    os.kill(servers[1].pid, signal.SIGSTOP)
    try:
        asked = cache.get_many(MANY)
    finally:
        os.kill(servers[1].pid, signal.SIGCONT)

    assert asked == {}
    assert cache.connection._paused_until > time.time()
