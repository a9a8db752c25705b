"""A sample event finds its handler by its folder, and what the handler left undone fails the command."""

from pathlib import Path

import pytest

from cdk.app import PROJECT
from serverless_django.local import invoke
from serverless_django.local.invoke import Outcome, addressed_to, function_name, invoke_sample, module_of, read_event
from serverless_django.local.processes import ProcessError


def test_the_folder_names_the_handler():
    assert module_of(PROJECT, Path("events/sqs/like.json")) == "lambda_app.handlers.sqs"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere/like.json", "lies in no folder of a handler"),
        ("sqs/missing.json", "there is no .*missing.json"),
        ("sqs/broken.json", "is not JSON"),
    ],
)
def test_an_event_that_cannot_be_used_is_refused(tmp_path, name, message):
    (tmp_path / "sqs").mkdir()
    (tmp_path / "sqs" / "broken.json").write_text("{")

    with pytest.raises(ProcessError, match=message):
        read_event(module_of(PROJECT, tmp_path / name), tmp_path / name)


FUNCTIONS = [
    {"FunctionName": "App-Views", "Handler": "lambda_app.handlers.sqs.handler"},
    {"FunctionName": "App-Likes", "Handler": "lambda_app.handlers.sqs.handler"},
    {"FunctionName": "Provider", "Handler": "index.handler"},
]


def test_a_deployed_function_is_found_by_its_handler():
    assert function_name(FUNCTIONS, "lambda_app.handlers.sqs") == "App-Likes"


def test_a_handler_that_is_not_deployed_is_named():
    with pytest.raises(ProcessError, match=r"no deployed function runs lambda_app\.handlers\.s3\.handler"):
        function_name(FUNCTIONS, "lambda_app.handlers.s3")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome({"batchItemFailures": []}, is_error=False), 0),
        (Outcome({"statusCode": 200}, is_error=False), 0),
        (Outcome(None, is_error=False), 0),
        (Outcome({"batchItemFailures": [{"itemIdentifier": "m1"}]}, is_error=False), 1),
        (Outcome({"errorMessage": "boom"}, is_error=True), 1),
        (Outcome({"statusCode": 404}, is_error=False), 0),
        (Outcome({"statusCode": 500}, is_error=False), 1),
    ],
)
def test_the_exit_status_says_whether_all_was_done(monkeypatch, tmp_path, capsys, outcome, status):
    event = tmp_path / "sqs" / "like.json"
    event.parent.mkdir()
    event.write_text('{"Records": []}')
    monkeypatch.setattr(invoke.RunningCloud, "is_there", lambda state: False)
    monkeypatch.setattr(invoke, "_invoke_alone", lambda project, module, path: outcome)

    assert invoke_sample(PROJECT, event) == status
    assert capsys.readouterr().out.strip()


def test_an_http_event_is_addressed_to_the_deployed_api():
    event = {"headers": {"host": "a.example", "accept": "*/*"}, "requestContext": {"apiId": "a"}, "rawPath": "/"}

    addressed = addressed_to("b.example.com", event)

    assert addressed["headers"] == {"host": "b.example.com", "accept": "*/*"}
    assert addressed["requestContext"] == {"apiId": "a", "domainName": "b.example.com", "domainPrefix": "b"}
    assert addressed["rawPath"] == "/"


@pytest.mark.parametrize("event", [{"Records": []}, {"command": ["check"]}, []])
def test_other_events_stay_as_they_are(event):
    assert addressed_to("b.example.com", event) == event
