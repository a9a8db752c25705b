"""A client cannot write more often than its limit, however many environments it reaches."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import RequestFactory

from serverless_django.postgresql.cursors import run_statement
from serverless_django.throttling import buckets
from serverless_django.throttling.buckets import Bucket, take_from_cache, take_from_database
from serverless_django.throttling.middleware import ThrottleMiddleware, client_address, network_of
from serverless_django.throttling.models import Bucket as Row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.MEMBER_WRITES_PER_MINUTE, settings.ADDRESS_WRITES_PER_MINUTE = 5, 8


def write(subject="ada", *, address="192.0.2.1", method="POST", **meta):
    request = RequestFactory().generic(method, "/", REMOTE_ADDR=address, **meta)
    request.claims = subject and {"sub": subject}
    return ThrottleMiddleware(lambda request: HttpResponse(status=201))(request)


def test_a_member_may_write_so_often_and_then_has_to_wait():
    statuses = [write().status_code for _ in range(7)]

    assert statuses == [201] * 5 + [429] * 2
    assert write().headers["Retry-After"] == "12"
    assert "this member may write 5 times a minute" in write().text


def test_another_member_is_not_held_up():
    [write() for _ in range(6)]

    assert write("bob").status_code == 201


def test_many_members_of_one_address_share_its_limit():
    statuses = [write(f"member-{number}").status_code for number in range(10)]

    assert statuses == [201] * 8 + [429] * 2


def test_a_client_without_a_token_is_counted_by_address():
    assert [write(None).status_code for _ in range(9)][-1] == 429


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_not_counted(method):
    assert {write(method=method).status_code for _ in range(20)} == {201}
    assert Row.objects.count() == 0


def test_what_was_used_comes_back_evenly():
    [write() for _ in range(6)]
    run_statement("UPDATE serverless_throttle SET full_at = full_at - interval '12 seconds'")

    assert [write().status_code for _ in range(2)] == [201, 429]


def test_what_is_refused_costs_nothing_more():
    [write() for _ in range(50)]

    [(left,)] = run_statement("SELECT max(full_at) - statement_timestamp() FROM serverless_throttle")
    assert left <= timedelta(minutes=1)


def test_threads_together_get_no_more_than_one():
    taken = []

    def phone():
        try:
            taken.extend(take_from_database([Bucket("member\0x", 20), Bucket("address\0y", 1000)]) for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=phone) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]

    # One more may be allowed by now: one comes back every three seconds.
    assert taken.count(None) in (20, 21, 22)


def test_without_limits_the_database_is_not_asked(settings, django_assert_num_queries):
    settings.MEMBER_WRITES_PER_MINUTE = settings.ADDRESS_WRITES_PER_MINUTE = 0

    assert {write().status_code for _ in range(20)} == {201}
    assert Row.objects.count() == 0


def test_the_cache_counts_for_all_environments(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()

    emptied = [take_from_cache([Bucket("member\0z", 5)]) for _ in range(6)]

    # Unless a new minute has just begun.
    assert emptied[:5] == [None] * 5


def test_while_the_cache_cannot_count_the_database_does(settings):
    # Django's dummy cache forgets its counters at once, as an unavailable one does.
    settings.THROTTLE_STORE = "cache"

    assert [write().status_code for _ in range(6)] == [201] * 5 + [429]


def test_while_the_database_is_unavailable_a_writer_is_asked_to_come_again(monkeypatch):
    def away(buckets):
        raise OperationalError("gone")

    monkeypatch.setattr("serverless_django.throttling.middleware.take_from_database", away)

    assert (write().status_code, write().headers["Retry-After"]) == (503, "1")


def charge(amount, subject="ada", **limits):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
    request.claims = {"sub": subject}
    ThrottleMiddleware(lambda request: HttpResponse())(request)
    return request.charge("work", amount, {timedelta(**{unit: 1}): limit for unit, limit in limits.items()})


def test_a_view_charges_for_the_work_of_its_request():
    assert [charge(4, minutes=10) for _ in range(3)] == [None, None, timedelta(seconds=24)]
    assert charge(2, minutes=10) is None


def test_more_than_a_limit_at_once_is_never_granted():
    assert charge(11, minutes=10) == timedelta(seconds=66)


def test_a_bucket_that_refuses_takes_nothing_from_longer_ones():
    charge(10, minutes=10, days=20)
    for _ in range(5):
        assert charge(10, minutes=10, days=20) == timedelta(minutes=1)
    run_statement("UPDATE serverless_throttle SET full_at = full_at - interval '1 minute'")

    assert charge(10, minutes=10, days=20) is None
    assert charge(10, days=20) == timedelta(hours=12)


def test_work_of_one_kind_is_not_charged_to_another_or_to_writes():
    charge(10, minutes=10)

    assert (charge(10, "bob", minutes=10), write().status_code) == (None, 201)


def test_buckets_that_are_full_are_forgotten():
    write()
    run_statement("UPDATE serverless_throttle SET full_at = now() - interval '1 second' WHERE id = %s",
                  [Bucket("address\x00192.0.2.1", 1).id])  # fmt: skip

    buckets.purge()

    assert Row.objects.count() == 1


def test_no_log_is_written_for_counters():
    assert run_statement("SELECT relpersistence FROM pg_class WHERE relname = 'serverless_throttle'") == [("u",)]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("2001:db8:0:1::2", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_household_is_one_client(address, network):
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "6.6.6.6", "192.0.2.1"),
        (0, "", "192.0.2.1"),
        (1, "6.6.6.6, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (1, "198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_no_client_chooses_its_address_by_a_header(settings, proxies, forwarded, address):
    settings.PROXIES_BEFORE_GATEWAY = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == address
