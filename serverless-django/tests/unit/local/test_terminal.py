"""One quiet line for each thing that happens."""

import io
import json

import pytest

from serverless_django.local.api_gateway import HttpRequest
from serverless_django.local.api_gateway_emulator import Exchange
from serverless_django.local.environments import InvokeResult
from serverless_django.local.execution_environment import FunctionError
from serverless_django.local.functions import FunctionVersion
from serverless_django.local.http_replies import HttpReply
from serverless_django.local.processes import ProcessError
from serverless_django.local.terminal import Printer, paint, paint_of, plain, tail


def get(path):
    return HttpRequest(
        method="GET", path=path, query="", headers=[], body=b"", source_ip="127.0.0.1", protocol="HTTP/1.1"
    )


def function(source):
    return FunctionVersion(
        name="fn", version="1", arn="arn", role_arn="role", handler=f"lambda_app.handlers.{source}.handler",
        timeout_seconds=1, memory_mb=128, code_sha256="code",
    )  # fmt: skip


def result(source="sqs", *, error=None, payload=b'{"batchItemFailures": []}'):
    return InvokeResult(
        payload=payload, error=error, cold=True, init_ms=300, duration_ms=12, function=function(source), pid=1
    )


@pytest.mark.parametrize(("status", "colour"), [(200, "\x1b[32m200"), (404, "\x1b[33m404"), (503, "\x1b[31m503")])
def test_a_status_has_its_colour_on_a_terminal(status, colour, capsys):
    Printer(paint=paint).exchange(Exchange(get("/v1/books"), HttpReply(status=status), 12.5))

    assert colour in capsys.readouterr().out


def test_without_a_terminal_there_is_no_colour(capsys):
    Printer(paint=paint_of(io.StringIO())).invocation(result())

    assert "\x1b" not in capsys.readouterr().out


def test_a_line_for_a_program_is_json(capsys):
    Printer(as_json=True).exchange(Exchange(get("/v1/books"), HttpReply(status=200), 12.5, True))

    line = json.loads(capsys.readouterr().out)
    assert (line["kind"], line["path"], line["status"], line["cold"]) == ("http", "/v1/books", 200, True)


def test_a_request_has_one_line_and_not_two(capsys):
    Printer().invocation(result("api_gateway", payload=b"{}"))

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (result(), "ok"),
        (result(payload=b'{"batchItemFailures": [{}, {}]}'), "2 left"),
        (result(error=FunctionError({"errorType": "E", "errorMessage": "m"}), payload=b"{}"), "failed: E: m"),
    ],
)
def test_an_invocation_of_the_background_says_how_it_ended(outcome, said, capsys):
    Printer(paint=plain).invocation(outcome)

    assert said in capsys.readouterr().out


def test_an_id_that_no_line_bears_is_an_error(tmp_path):
    with pytest.raises(ProcessError, match="no line bears the id 'x'; it is the X-Request-Id of a response"):
        tail(tmp_path, "x")
