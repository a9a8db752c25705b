"""An endpoint with several addresses is connected to within one deadline, not one for each."""

import socket

import psycopg
import pytest

from serverless_django.postgresql import addresses
from serverless_django.postgresql.addresses import connect_within

PARAMS = {"host": "proxy.example.com", "port": 5432, "connect_timeout": 3}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Return a clock that only a test moves."""
    now = [0.0]
    monkeypatch.setattr(addresses.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(addresses, "_silent", [])
    return now


@pytest.fixture
def resolve(monkeypatch):
    def resolve(*found):
        rows = [(None, None, None, "", (address, 5432)) for address in found]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: rows)

    return resolve


@pytest.fixture
def connect(clock):
    """Return a double of psycopg's connect that knows which addresses refuse and which are silent."""

    class Connect:
        def __init__(self):
            self.tried, self.refusing, self.silent = [], set(), set()

        def __call__(self, params):
            address = params.get("hostaddr", params.get("host"))
            self.tried.append(address)
            if address in self.silent:
                clock[0] += params["connect_timeout"]
                raise psycopg.errors.ConnectionTimeout("connection timeout expired")
            if address in self.refusing:
                raise psycopg.OperationalError("connection refused")
            return f"connected to {address}"

    return Connect()


def test_the_first_address_that_answers_is_taken(resolve, connect):
    resolve("10.0.0.1", "10.0.0.2")

    assert connect_within(PARAMS, connect) == "connected to 10.0.0.1"


def test_an_address_that_refuses_is_followed_by_the_next(resolve, connect):
    resolve("10.0.0.1", "10.0.0.2")
    connect.refusing = {"10.0.0.1"}

    assert connect_within(PARAMS, connect) == "connected to 10.0.0.2"


def test_one_silent_address_uses_up_the_time_and_is_asked_last_from_then_on(resolve, connect, clock):
    resolve("10.0.0.1", "10.0.0.2")
    connect.silent = {"10.0.0.1"}
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        connect_within(PARAMS, connect)

    assert clock[0] == 3
    assert connect_within(PARAMS, connect) == "connected to 10.0.0.2"


def test_when_all_are_silent_they_take_turns(resolve, connect):
    resolve("10.0.0.1", "10.0.0.2")
    connect.silent = {"10.0.0.1", "10.0.0.2"}

    for _ in range(4):
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            connect_within(PARAMS, connect)

    assert connect.tried == ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("host", ["/run/postgresql", "", "127.0.0.1", "::1"])
def test_a_socket_or_an_address_is_connected_to_as_it_is(host, connect, resolve):
    resolve("10.0.0.9")

    assert connect_within(PARAMS | {"host": host}, connect) == f"connected to {host}"


def test_psycopg_reports_a_host_name_that_cannot_be_resolved(monkeypatch, connect):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert connect_within(PARAMS, connect) == "connected to proxy.example.com"


def test_what_the_last_address_says_is_raised(resolve, connect):
    resolve("10.0.0.1", "10.0.0.2")
    connect.refusing = {"10.0.0.1", "10.0.0.2"}

    with pytest.raises(psycopg.OperationalError, match="refused"):
        connect_within(PARAMS, connect)
    assert connect.tried == ["10.0.0.1", "10.0.0.2"]
