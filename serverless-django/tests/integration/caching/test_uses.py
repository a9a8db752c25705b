"""What Django itself keeps in a cache works with data alone: sessions, pages and fragments; old pickles are misses."""

import pickle
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches
from django.http import HttpResponse
from django.template import Context, Engine
from django.test import RequestFactory
from django.utils import timezone
from django.views.decorators.cache import cache_page

from serverless_django.snapstart import prepare_snapshot
from tests import valkeys


@pytest.fixture(scope="module")
def server():
    with valkeys.running("a cluster of one node") as [server]:
        yield server


@pytest.fixture
def cache(server, settings):
    settings.CACHES = {"default": {"BACKEND": "serverless_django.caching.valkey.ValkeyCache", "LOCATION": server.url}}
    assert caches["default"].clear()
    yield caches["default"]
    caches["default"].disconnect()


def store_raw(cache, key, stored):
    cache.connection.ask(key, lambda client: client.set(cache.make_key(key), stored), None)


def test_a_session_is_kept_changed_and_ended(cache):
    session = SessionStore()
    session["member"], session["seen"], session["basket"] = 7, timezone.now(), [{"id": 1, "count": 2}]
    session.set_expiry(timedelta(days=1))
    session.save()

    again = SessionStore(session.session_key)
    assert (again["member"], again["seen"], again["basket"]) == (7, session["seen"], [{"id": 1, "count": 2}])
    again["member"] = 8
    again.save()
    again.cycle_key()
    assert SessionStore(session.session_key).load() == {}
    assert SessionStore(again.session_key)["member"] == 8
    again.flush()
    assert again.session_key is None


def test_a_session_that_an_older_release_pickled_is_a_new_session(cache):
    session = SessionStore("an-old-session-key")
    store_raw(cache, session.cache_key, pickle.dumps({"member": 7}))

    assert (session.get("member"), session.session_key) == (None, None)


def test_a_page_is_made_once(cache):
    made = []

    @cache_page(60)
    def view(request):
        made.append(1)
        return HttpResponse("<b>page</b>", headers={"Vary": "Accept", "X-Made": str(len(made))})

    first, second = (view(RequestFactory().get("/page", headers={"Accept": "text/html"})) for _ in range(2))
    view(RequestFactory().get("/page", headers={"Accept": "text/plain"}))

    assert "Age" in second.headers
    del second["Age"]
    assert (second.content, dict(second.headers)) == (first.content, dict(first.headers))
    assert len(made) == 2


def test_a_fragment_of_a_template_stays_as_safe_as_it_was(cache):
    template = Engine(libraries={"cache": "django.templatetags.cache"}).from_string(
        "{% load cache %}{% cache 60 fragment %}<b>{{ name }}</b>{% endcache %}"
    )

    shown = [template.render(Context({"name": name})) for name in ("<Ada>", "other")]

    assert shown == ["<b>&lt;Ada&gt;</b>"] * 2


@pytest.mark.parametrize("stored", [pickle.dumps("old"), b"\x7fnewer", b"not ours"], ids=["pickle", "later", "other"])
def test_what_cannot_be_read_is_a_miss_and_is_overwritten(cache, stored):
    store_raw(cache, "key", stored)

    assert (cache.get("key", "default"), cache.get_many(["key"])) == ("default", {})
    assert (cache.get_or_set("key", lambda: "new", 60), cache.get("key")) == ("new", "new")


def test_before_a_snapshot_its_connection_is_closed_and_the_next_command_makes_another(cache, server):
    cache.set("key", 1)
    before = server.command("CLIENT", "LIST").count("cmd=set ")

    prepare_snapshot()

    assert (before, cache.connection._client) == (1, None)
    assert cache.get("key") == 1


def test_before_a_snapshot_a_cache_that_was_never_used_stays_unused(settings):
    settings.CACHES = {
        "default": {"BACKEND": "serverless_django.caching.valkey.ValkeyCache", "LOCATION": "redis://localhost:1"}
    }
    unused = caches["default"]

    prepare_snapshot()

    assert "connection" not in vars(unused)
