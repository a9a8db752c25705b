"""Without a running system a sample event still runs, in a process and with its own database."""

import json

import pytest

from cdk.app import PROJECT
from serverless_django.local import invoke

EVENTS = PROJECT.root / "events"


@pytest.fixture
def run(monkeypatch, capsys):
    def run(name):
        monkeypatch.delenv("PGHOST", raising=False)
        monkeypatch.setattr(invoke.RunningCloud, "is_there", lambda state: False)
        status = invoke.invoke_sample(PROJECT, EVENTS / name)
        return status, json.loads(capsys.readouterr().out)

    return run


def test_a_like_is_recorded_and_nothing_is_left(run):
    assert run("sqs/like.json") == (0, {"batchItemFailures": []})


def test_poison_fails_the_command_and_is_named(run):
    status, reply = run("sqs/poison.json")

    assert status == 1
    assert len(reply["batchItemFailures"]) == 2
