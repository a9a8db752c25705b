"""What gains an attacker who reaches the cache, or who can write to it as another process could."""

import pickle
import subprocess
import sys

import pytest
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches

from serverless_django.caching.serializer import UnreadableValueError, decode
from tests import valkeys
from tests.fresh_process import ROOT
from tests.paths import REPOSITORY


@pytest.fixture(scope="module")
def server():
    with valkeys.running("a cluster of one node") as [server]:
        yield server


@pytest.fixture
def cache(server, settings):
    settings.CACHES = {"default": {"BACKEND": "serverless_django.caching.valkey.ValkeyCache", "LOCATION": server.url}}
    caches["default"].clear()
    yield caches["default"]
    caches["default"].disconnect()


class Payload:
    """What runs when a pickle of it is loaded."""

    ran = []

    def __reduce__(self):
        return Payload.ran.append, ("code of the attacker",)


def plant(cache, key, stored):
    """Write `stored` as any process could that reaches the server."""
    cache.connection.ask(key, lambda client: client.set(cache.make_key(key), stored), None)


@pytest.mark.parametrize("protocol", [0, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize(
    "marker", [b"", b"\x01", b"\x01\xc7\x10\x0d"], ids=["as it is", "after our marker", "as a kind"]
)
def test_a_pickle_in_the_cache_runs_no_code(cache, protocol, marker):
    plant(cache, "key", marker + pickle.dumps(Payload(), protocol))
    Payload.ran.clear()

    read = cache.get("key"), cache.get_many(["key"]), cache.get_or_set("key", lambda: "ours", 60)

    assert (read, Payload.ran) == ((None, {}, "ours"), [])


def test_a_pickle_in_the_place_of_a_session_runs_no_code_and_names_no_user(cache):
    session = SessionStore("a-session-key-of-32-characters-x")
    plant(cache, session.cache_key, pickle.dumps({"_auth_user_id": "1", "payload": Payload()}))
    Payload.ran.clear()

    assert (session.get("_auth_user_id"), Payload.ran) == (None, [])


def nested_kinds(depth):
    """Return a tuple that contains a tuple that …"""
    stored = b"\x90"
    for _ in range(depth):
        stored = b"\xc9" + len(b"\x91" + stored).to_bytes(4) + b"\x03\x91" + stored
    return stored


@pytest.mark.parametrize(
    "stored",
    [b"\x01" + b"\x91" * 5_000_000, b"\x01\xdd\xff\xff\xff\xff", b"\x01\xdf\xff\xff\xff\xff",
     b"\x01\xc6\xff\xff\xff\xff", b"\x01\xc9\xff\xff\xff\xff\x01", b"9" * 5_000_000, b"\x01" + nested_kinds(10_000)],
    ids=["deep", "long list", "long dict", "long bytes", "long kind", "long number", "kinds in kinds"],
)  # fmt: skip
def test_a_bomb_in_the_cache_costs_no_more_memory_than_it_has_bytes(stored):
    program = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from serverless_django.caching.serializer import UnreadableValueError, decode
try:
    decode(sys.stdin.buffer.read())
except UnreadableValueError:
    print("a miss")
"""
    done = subprocess.run([sys.executable, "-c", program], input=stored, capture_output=True, cwd=ROOT, check=False)

    assert (done.stdout, done.returncode) == (b"a miss\n", 0), done.stderr[-500:]


@pytest.mark.parametrize(
    "zone", ["../../../etc/passwd", "/etc/passwd", "Europe/../../../../etc/passwd", "\0", ""], ids=repr
)
def test_a_planted_time_zone_opens_no_file(zone):
    from msgspec.msgpack import Ext, encode

    stored = b"\x01" + encode(Ext(7, encode(["2026-01-01T00:00:00", zone, 0])))

    if zone:
        with pytest.raises(UnreadableValueError):
            decode(stored)
    else:
        assert decode(stored).tzinfo is None


@pytest.mark.parametrize("header", ["X-A\r\nSet-Cookie", "Set-Cookie\n"])
def test_a_planted_page_splits_no_response(header):
    from msgspec.msgpack import Ext, encode

    page = [200, "OK", [[header, "a=b"]], b"", []]

    with pytest.raises(UnreadableValueError):
        decode(b"\x01" + encode(Ext(13, encode(page))))


NOT_DEPLOYED = {"__pycache__", "cli", "deploy", "local", "testing"}


def test_nothing_that_is_deployed_unpickles():
    """The whole of the library and the project, by text: `pickle`, `marshal` and `shelve` are in none of it."""
    folders = (ROOT / "lambda_app", REPOSITORY / "serverless-django" / "src")
    sources = [path for folder in folders for path in folder.rglob("*.py") if not NOT_DEPLOYED & set(path.parts)]
    found = [
        str(path.relative_to(REPOSITORY))
        for path in sources
        for line in path.read_text().splitlines()
        if line.lstrip().startswith(("import ", "from "))
        and {"pickle", "marshal", "shelve", "dill"} & set(line.split())
    ]

    assert len(sources) > 150
    assert found == []


@pytest.mark.parametrize("name", ["default", "sessions"])
def test_a_secret_of_the_url_stands_in_no_line_of_the_log(name, caplog, settings):
    settings.CACHES = {
        name: {
            "BACKEND": "serverless_django.caching.valkey.ValkeyCache",
            "LOCATION": "rediss://app:a-secret-of-the-url@127.0.0.1:1",
        },
        "default" if name != "default" else "other": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    }

    assert caches[name].get("session:a-secret-key", "miss") == "miss"

    assert "the cache does not answer" in caplog.text
    assert "a-secret" not in caplog.text
