"""A database that RDS Proxy or the freeze would break is refused, with the way out, before anything connects."""

import pytest
from django.db import connections

from serverless_django.postgresql.base import DatabaseWrapper
from serverless_django.postgresql.checks import check_databases

GOOD = {"iam": True, "sslmode": "verify-full", "connect_timeout": 3, "pinning_statements": "report"}


@pytest.fixture
def faults(monkeypatch):
    """Return what is found of a database with these settings: `faults(OPTIONS={...}) == ["serverless.E011"]`."""

    def faults(**settings):
        defaults = {"CONN_MAX_AGE": None, "DISABLE_SERVER_SIDE_CURSORS": True, "TIME_ZONE": None, "OPTIONS": {}}
        options = GOOD | settings.pop("OPTIONS", {})
        wrapper = DatabaseWrapper(defaults | settings | {"OPTIONS": options}, alias="probe")
        monkeypatch.setattr(connections, "all", list)
        monkeypatch.setattr(type(connections), "__iter__", lambda self: iter(["probe"]))
        monkeypatch.setattr(type(connections), "__getitem__", lambda self, alias: wrapper)
        return [(message.id, message) for message in check_databases()]

    return faults


def test_the_settings_that_are_deployed_have_no_fault(faults):
    assert faults() == []


@pytest.mark.parametrize(
    ("settings", "id", "word"),
    [
        ({"OPTIONS": {"pool": True}}, "serverless.E011", "freezes"),
        ({"CONN_MAX_AGE": 0}, "serverless.W012", "open connections"),
        ({"CONN_MAX_AGE": 60}, "serverless.W012", "has CONN_MAX_AGE 60"),
        ({"OPTIONS": {"sslmode": "require"}}, "serverless.E013", "sslmode is 'require'"),
        ({"OPTIONS": {"connect_timeout": 0}}, "serverless.E014", "is 0"),
        ({"OPTIONS": {"connect_timeout": 30}}, "serverless.E014", "is 30"),
        ({"OPTIONS": {"options": "-c jit=off"}}, "serverless.E015", "command-line options"),
        ({"OPTIONS": {"assume_role": "reader"}}, "serverless.E015", "SET ROLE"),
        ({"OPTIONS": {"prepare_threshold": 0}}, "serverless.E015", "prepared statements"),
        ({"OPTIONS": {"server_side_binding": True}}, "serverless.E015", "Django's SQL"),
        ({"DISABLE_SERVER_SIDE_CURSORS": False}, "serverless.E016", "iterator"),
        ({"TIME_ZONE": "Europe/Berlin"}, "serverless.E017", "'Europe/Berlin'"),
    ],
)
def test_a_fault_is_named_with_its_way_out(faults, settings, id, word):
    ((found, message),) = faults(**settings)

    assert found == id
    assert word in message.msg
    assert message.hint


def test_a_database_that_passes_no_proxy_may_pin(faults):
    options = {"pinning_statements": "allow", "assume_role": "reader"}

    assert faults(DISABLE_SERVER_SIDE_CURSORS=False, TIME_ZONE="Europe/Berlin", OPTIONS=options) == []


def test_another_backend_is_not_our_business(monkeypatch):
    monkeypatch.setattr(type(connections), "__getitem__", lambda self, alias: object())

    assert check_databases() == []
