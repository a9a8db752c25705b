"""Every handler starts as Lambda starts it: a fresh process, only the variables of the template, no network."""

import json

import pytest

from serverless_django.local.emulator import CREDENTIALS
from serverless_django.postgresql import RDS_CA_BUNDLE
from tests.fresh_process import ENVIRONMENT, HANDLERS, ROOT, run

NEVER_AT_START = {
    "boto3",
    # Powertools imports the empty package "botocore" and a Tracer without its SDK: under 2 ms together.
    "botocore.auth",
    "botocore.client",
    "botocore.credentials",
    "botocore.session",
    "storages",
    "aws_lambda_powertools.utilities.batch",
    "aws_xray_sdk",
    "django.contrib.admin",
    "django.contrib.sessions",
    "hypothesis",
    "jwt",
    "serverless_django.local",
    "serverless_django.deploy",
    "cdk",
}

REPORT = """
import json, sys, time
started = time.process_time()
import {module}
print(json.dumps({{"seconds": time.process_time() - started, "modules": sorted(sys.modules)}}))
"""

INIT_BUDGET_SECONDS = 4.0
"""CPU time on a shared, slow machine; Lambda gives the init phase 10 s before it starts over."""


@pytest.fixture(scope="module")
def started():
    """Return what a handler reports after its start, once for all tests."""
    reports = {}

    def started(name):
        if name not in reports:
            finished = run(REPORT.format(module=f"lambda_app.handlers.{name}"), **ENVIRONMENT.variables())
            assert finished.returncode == 0, finished.stderr
            reports[name] = json.loads(finished.stdout)
        return reports[name]

    return started


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_starts_with_the_variables_of_the_template(started, name):
    assert "lambda_app.settings.deployed" in started(name)["modules"]


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_loads_nothing_that_its_first_request_may_not_need(started, name):
    assert NEVER_AT_START.intersection(started(name)["modules"]) == set()


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_starts_within_its_budget(started, name):
    assert started(name)["seconds"] < INIT_BUDGET_SECONDS


@pytest.mark.parametrize("name", [name for name in HANDLERS if name != "api_gateway"])
def test_only_the_http_handler_loads_the_http_adapter(started, name):
    assert not {"mangum", "lambda_app.urls"}.intersection(started(name)["modules"])


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_loads_no_other_handler(started, name):
    loaded = {module for module in started(name)["modules"] if module.startswith("lambda_app.handlers.")}

    assert loaded == {f"lambda_app.handlers.{name}"}


def test_forgotten_variables_are_all_named():
    finished = run("import lambda_app.handlers.sqs")

    assert finished.returncode == 1
    assert finished.stderr.strip().splitlines()[-1] == (
        "serverless_django.contract.environment.InvalidEnvironmentError: SERVERLESS_STAGE is not set; "
        "SERVERLESS_ALLOWED_HOSTS is not set; SERVERLESS_DATABASE_HOST is not set; "
        "SERVERLESS_DATABASE_NAME is not set; SERVERLESS_DATABASE_USER is not set; "
        "SERVERLESS_TASK_QUEUE_URLS is not set; SERVERLESS_BUCKET_NAMES is not set"
    )


CHECK = """
import django
from django.core.management import call_command
from serverless_django.warmup import start_django
start_django()
call_command("check", "--deploy", "--fail-level", "ERROR")
"""


def test_the_deployed_settings_pass_djangos_checks():
    finished = run(CHECK, **ENVIRONMENT.variables())

    assert finished.returncode == 0, finished.stderr


SETTINGS = """
import json
from django.conf import settings
from serverless_django.warmup import start_django
start_django()
key = settings.is_overridden("SECRET_KEY")
print(json.dumps({"database": settings.DATABASES["default"], "debug": settings.DEBUG, "key": key}))
"""


@pytest.fixture(scope="module")
def deployed():
    return json.loads(run(SETTINGS, **ENVIRONMENT.variables()).stdout)


def test_the_connection_lasts_is_verified_and_bounded(deployed):
    database = deployed["database"]

    assert (database["CONN_MAX_AGE"], database["DISABLE_SERVER_SIDE_CURSORS"]) == (None, True)
    assert database["OPTIONS"] == {
        "connect_timeout": 3,
        "tcp_user_timeout": 3000,
        "sslmode": "verify-full",
        "sslrootcert": RDS_CA_BUNDLE,
        "secret_arn": "",
        "iam": True,
        "pinning_statements": "report",
    }


def test_there_is_no_secret_of_djangos_and_no_debugging(deployed):
    assert (deployed["debug"], deployed["key"]) == (False, False)


LOGS = """
from serverless_django.handlers import sqs
from aws_lambda_powertools.utilities.typing import LambdaContext

class Context(LambdaContext):
    _function_name, _memory_limit_in_mb, _aws_request_id = "worker", 512, "request-1"
    _invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:worker:live"
    def get_remaining_time_in_millis(self): return 30_000

record = {"eventSource": "aws:sqs", "messageId": "m1", "body": "token=secret", "attributes": {}}
print(sqs.handler({"Records": [record]}, Context()))
"""


HTTP = """
import json, pathlib
from serverless_django.handlers import api_gateway
from serverless_django.testing import LambdaContext

event = json.loads(pathlib.Path("events/api_gateway/list.json").read_text())
event["headers"]["host"] = "api.example.com"
print(json.dumps(api_gateway.handler(event, LambdaContext())))
"""


@pytest.fixture(scope="module")
def refused():
    """Return what a request prints whose database refuses connections: log lines, then the response."""
    nowhere = {"SERVERLESS_DATABASE_HOST": "127.0.0.1", "SERVERLESS_DATABASE_PORT": "9"}
    finished = run(HTTP, **ENVIRONMENT.variables() | nowhere | CREDENTIALS)
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_an_unavailable_database_is_answered_with_503_by_the_deployed_settings(refused):
    *_, response = refused

    assert response["statusCode"] == 503
    assert json.loads(response["body"])["request_id"] == response["headers"]["x-request-id"]


def test_the_log_of_a_request_has_the_id_that_its_client_got(refused):
    *lines, response = refused

    assert {line["correlation_id"] for line in lines} == {response["headers"]["x-request-id"]}


def test_no_token_and_no_password_is_logged(refused):
    output = json.dumps(refused)

    assert "header.payload.signature" in (ROOT / "events" / "api_gateway" / "list.json").read_text()
    assert "header.payload.signature" not in output
    assert "X-Amz-Signature" not in output


def test_a_log_line_is_one_json_object_with_the_id_of_its_invocation():
    finished = run(LOGS, **ENVIRONMENT.variables())

    line, summary, response = finished.stdout.strip().splitlines()
    assert json.loads(summary)["function_request_id"] == "request-1"
    assert (
        json.loads(line).items()
        >= {
            "level": "ERROR",
            "message": "message m1 goes back at attempt 1",
            "function_request_id": "request-1",
            "exception_name": "InvalidTaskMessageError",
        }.items()
    )
    assert response == "{'batchItemFailures': [{'itemIdentifier': 'm1'}]}"


def test_what_fails_outside_our_code_is_logged_in_the_same_way():
    finished = run(LOGS.replace('"token=secret"', "None"), **ENVIRONMENT.variables())

    lines = finished.stdout.strip().splitlines()[:-1]
    # The second is the one line that every invocation writes.
    assert [json.loads(line)["level"] for line in lines] == ["ERROR", "INFO"]
    assert finished.stderr == ""
