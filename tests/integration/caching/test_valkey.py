"""The cache on a real Valkey: shared, protected from stampedes, and never waited for when it is away."""

import os
import signal
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from threading import Event

import pytest
from django.core.cache import caches

from lambda_app.serverless.caching import valkey
from lambda_app.serverless.caching.valkey import CacheAwayError, Held, ValkeyCache
from local.emulator import free_port
from local.valkey import Valkey


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="vk-") as folder, Valkey(Path(folder), port=free_port()) as running:
        yield running


def connect(url, **options):
    return ValkeyCache(url, {"KEY_PREFIX": "test", "OPTIONS": options})


def disconnect(cache):
    for pool in cache._cache._pools.values():
        pool.disconnect()


@pytest.fixture
def cache(server):
    cache = connect(server.url)
    cache.clear()
    yield cache
    disconnect(cache)


@pytest.fixture
def away():
    """A cache at a port where nobody listens."""
    return connect(f"redis://127.0.0.1:{free_port()}/0")


@pytest.fixture
def silent():
    """A cache that takes connections and never answers, as one that is frozen or behind a broken network."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cache = connect(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        yield cache
        disconnect(cache)


def test_what_is_set_is_read_by_another_process(cache, server):
    cache.set("key", {"a": 1}, 60)
    other = connect(server.url)

    assert other.get("key") == {"a": 1}
    disconnect(other)


def test_every_operation_does_what_djangos_does(cache):
    cache.set_many({"a": 1, "b": 2})

    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert (cache.add("a", 9), cache.add("c", 3)) == (False, True)
    assert (cache.incr("a"), cache.has_key("c"), cache.touch("c", 5)) == (2, True, True)
    assert (cache.delete("c"), cache.delete("c")) == (True, False)
    cache.delete_many(["a"])
    assert cache.get("a", "gone") == "gone"


def test_a_value_is_computed_once(cache):
    computed = []

    values = [cache.get_or_set("key", lambda: computed.append(1) or 42, 60) for _ in range(3)]

    assert (values, len(computed), cache.get("key")) == ([42] * 3, 1, 42)
    assert cache.get_many(["key"]) == {"key": 42}


def test_a_plain_value_is_given_as_it_is(cache):
    assert cache.get_or_set("key", 7) == 7
    cache.set("other", 8)
    assert cache.get_or_set("other", 9) == 8


def test_a_crowd_at_an_empty_place_waits_for_the_one_who_computes(cache):
    computed = []

    def compute():
        computed.append(1)
        time.sleep(0.1)
        return 42

    with ThreadPoolExecutor(20) as pool:
        values = list(pool.map(lambda _: cache.get_or_set("key", compute, 60), range(20)))

    assert (set(values), len(computed)) == ({42}, 1)


def test_whoever_comes_while_one_computes_gets_the_expired_value_at_once(cache):
    begun, go_on = Event(), Event()

    def compute():
        begun.set()
        go_on.wait(5)
        return "new"

    cache.set("key", Held("old", time.time() - 1), 60)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get_or_set, "key", compute, 60)
        begun.wait(5)
        second = cache.get_or_set("key", lambda: pytest.fail("computed twice"), 60)
        go_on.set()

    assert (second, first.result(), cache.get("key")) == ("old", "new", "new")


def test_a_computation_that_failed_is_left_to_the_next(cache):
    def fail():
        raise ValueError("no such post")

    with pytest.raises(ValueError, match="no such post"):
        cache.get_or_set("key", fail, 60)

    assert cache.get_or_set("key", lambda: 42, 60) == 42


def test_nobody_waits_for_ever_for_one_who_never_computes(cache, monkeypatch):
    monkeypatch.setattr(valkey, "WAIT_SECONDS", 0.05)
    cache.add("key:lock", 1, 60)

    assert cache.get_or_set("key", lambda: 42, 60) == 42


def test_a_value_without_an_end_stays_fresh(cache):
    cache.get_or_set("key", 42, None)

    assert cache._cache.get_client().ttl(cache.make_key("key")) == -1


@pytest.mark.parametrize("fault", ["away", "silent"])
def test_a_cache_that_is_away_costs_a_request_less_than_200_ms_once(fault, request):
    cache = request.getfixturevalue(fault)
    started = time.monotonic()

    value = cache.get_or_set("key", lambda: 42, 60)
    after_first = time.monotonic()
    more = [cache.get("other", "default"), cache.get_many(["a"]), cache.has_key("a"), cache.touch("a"), cache.clear()]

    assert (value, more) == (42, ["default", {}, False, False, False])
    assert after_first - started < 0.2 + SCHEDULING
    assert time.monotonic() - after_first < 0.01 + SCHEDULING


SCHEDULING = 0.3
"""What a machine that is busy may add: without the bounds it were seconds, or for ever."""


def test_what_writes_to_a_cache_that_is_away_goes_on(away):
    assert away.set("a", 1) is None
    assert (away.add("a", 1), away.delete("a"), away.set_many({"a": 1})) == (True, False, ["a"])
    assert away.delete_many(["a"]) is None


def test_a_counter_that_cannot_be_moved_is_refused_as_one_that_is_not_there(away):
    with pytest.raises(CacheAwayError, match="'visits' cannot be counted"):
        away.incr("visits")


def test_an_outage_is_logged_once(away, caplog):
    for _ in range(5):
        away.get("key")

    assert len([record for record in caplog.records if "the cache is away" in record.message]) == 1


def test_a_cache_that_is_back_is_asked_again(server, monkeypatch):
    cache = connect(server.url)
    cache.note_away(OSError("gone"))
    cache.set("key", 1)
    before = cache.get("key")

    monkeypatch.setattr(cache, "_away_until", time.time() - 1)
    cache.set("key", 2)

    assert (before, cache.get("key")) == (None, 2)
    disconnect(cache)


def test_a_server_that_is_frozen_is_a_miss_and_its_thaw_is_noticed(server, monkeypatch):
    cache = connect(server.url)
    cache.set("key", 1)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        frozen = cache.get("key", "miss")
    finally:
        os.kill(server.pid, signal.SIGCONT)
    monkeypatch.setattr(cache, "_away_until", 0.0)

    assert (frozen, cache.get("key")) == ("miss", 1)
    disconnect(cache)


def test_a_connection_that_died_while_nobody_looked_is_replaced_at_once(cache):
    cache.set("key", 1)
    _kill(cache)

    assert (cache.get("key"), cache.is_away) == (1, False)


def _kill(cache):
    """Close the connection from the other end."""
    killer = connect(cache._servers[0])
    killer._cache.get_client().client_kill_filter(_type="normal", skipme=True)
    disconnect(killer)


def test_an_error_that_is_not_the_caches_is_raised(cache):
    with pytest.raises(TypeError, match="pickle"):
        cache.set("key", (value for value in ()))


def test_the_cache_of_one_request_is_that_of_the_next(settings, server):
    settings.CACHES = {
        "default": {"BACKEND": "lambda_app.serverless.caching.valkey.ValkeyCache", "LOCATION": server.url}
    }
    kept = caches["default"]

    assert [copy_context().run(lambda: caches["default"]) for _ in range(2)] == [kept, kept]
