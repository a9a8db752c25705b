"""What was pruned, stripped of docstrings and compiled answers as the source does."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cdk.app import PROJECT
from serverless_django.deploy.bundling import build_bundle
from tests.infrastructure.test_bundling import _variables

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]

PROGRAM = """
import json, logging, pathlib, sys
sys.path[:0] = sys.argv[2:]
from importlib import import_module
from importlib.metadata import version
import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

logging.disable(logging.CRITICAL)

class Context(LambdaContext):
    _function_name, _memory_limit_in_mb, _aws_request_id = "function", 512, "request-1"
    _invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:function:live"
    def get_remaining_time_in_millis(self): return 30_000

def handle(name, event):
    return import_module(f"lambda_app.handlers.{name}").handler(event, Context())

def read(name):
    return json.loads((pathlib.Path(sys.argv[1]) / f"{name}.json").read_text())

def get(path):
    event = read("api_gateway/healthz") | {"rawPath": path}
    event["headers"]["host"] = "api.example.com"
    event["requestContext"]["http"]["path"] = path
    return handle("api_gateway", event)

def describe(name):
    client = boto3.client(name)
    return [client.meta.endpoint_url, sorted(dir(client))]

answers = {path: get(path) for path in ("/healthz", "/nowhere", "/v1/openapi.json", "/v1/docs", "/v1/feed")}
answers["check"] = handle("management", {"command": ["check"]})
answers["poison"] = handle("sqs", {"Records": [read("sqs/poison")["Records"][0] | {"body": "no message"}]})
answers["test event"] = handle("s3", read("s3/test_event"))
answers["storage"] = sorted(dir(import_module("serverless_django.s3.bucket").BucketStorage))
answers |= {name: describe(name) for name in ("s3", "secretsmanager", "sqs", "sts")}
answers["versions"] = {name: version(name) for name in ("django", "psycopg", "pydantic", "boto3")}
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers():
    """Return what the handlers answer, from the source and from the bundle that this machine can run."""
    bundle = build_bundle(PROJECT, architecture=ARCHITECTURE)
    return {"source": _run(PROJECT.root), "bundle": _run(bundle, "-S")}


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("/healthz", '\\"status\\"'),
        ("/nowhere", "Not Found"),
        ("/v1/docs", "swagger-ui"),
        ("/v1/feed", "a valid bearer token is needed"),
        ("check", "no issues"),
        ("poison", "itemIdentifier"),
        ("test event", "batchItemFailures"),
        ("storage", "presigned_post"),
        ("versions", "6.1"),
        ("s3", "put_object"),
        ("secretsmanager", "get_secret_value"),
        ("sqs", "send_message_batch"),
        ("sts", "assume_role"),
    ],
)
def test_the_bundle_answers_as_the_source_does(answers, answer, part):
    assert answers["bundle"][answer] == answers["source"][answer]
    assert part in json.dumps(answers["bundle"][answer])


def test_the_openapi_document_keeps_every_description(answers):
    bundle, source = (json.loads(answers[name]["/v1/openapi.json"]["body"]) for name in ("bundle", "source"))

    assert bundle == source
    assert "Recorded through a queue" in json.dumps(bundle)


def _run(folder: Path, *flags: str) -> dict[str, object]:
    command = [sys.executable, "-I", "-B", *flags, "-c", PROGRAM, str(PROJECT.root / "events"), str(folder)]
    done = subprocess.run(command, env=_variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result
