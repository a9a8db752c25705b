"""What a handler does while Lambda initialises it, so that the first request need not."""

import json

import pytest

from tests.fresh_process import ENVIRONMENT, HANDLERS, ROOT, run

COLLECTION = """
import gc, json
import lambda_app.handlers.{name}
print(json.dumps([gc.isenabled(), gc.get_freeze_count()]))
"""

FIRST_REQUEST = """
import json, sys
import psycopg
psycopg.Connection.connect = lambda *args, **kwargs: print("connected")
from serverless_django.handlers import api_gateway
from serverless_django.testing import LambdaContext

event = json.load(open("events/api_gateway/list.json"))
event["headers"]["host"] = "api.example.com"
del event["requestContext"]["authorizer"]
before = set(sys.modules)
response = api_gateway.handler(event, LambdaContext())
loaded = {name for name in set(sys.modules) - before if not name.startswith("encodings.")}
print(json.dumps([response["statusCode"], sorted(loaded)]))
"""

TASKS = """
import json, sys
from serverless_django.handlers import {name}
print(json.dumps("lambda_app.tasks" in sys.modules))
"""

BROKEN = """
from tests.fresh_process import ROOT
from django.core.handlers import base
base.BaseHandler.get_response = None
from serverless_django.handlers import api_gateway
print("started")
"""


def start(program, **variables):
    finished = run(program, **ENVIRONMENT.variables() | variables)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


@pytest.mark.parametrize("name", HANDLERS)
def test_after_init_garbage_is_collected_again_but_not_in_what_init_made(name):
    is_enabled, frozen = json.loads(start(COLLECTION.format(name=name))[-1])

    assert is_enabled
    assert frozen > 50_000


def test_the_first_request_loads_no_module_and_init_never_connects():
    *lines, last = start(FIRST_REQUEST)

    assert last == "[401, []]"
    assert "connected" not in lines


@pytest.mark.parametrize("name", ["s3", "sqs"])
def test_the_first_message_finds_its_task_loaded(name):
    assert start(TASKS.format(name=name)) == ["true"]


def test_what_cannot_be_primed_is_logged_and_left_to_the_requests():
    *lines, last = start(BROKEN)

    assert last == "started"
    assert [json.loads(line)["level"] for line in lines] == ["ERROR"]


def test_the_probe_is_an_event_like_any_other():
    from serverless_django.warmup import probe_event

    sample = json.loads((ROOT / "events" / "api_gateway" / "healthz.json").read_text())

    assert set(probe_event("localhost")) <= set(sample)
