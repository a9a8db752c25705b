"""What a client cannot do by what it has logged: read secrets there, lose lines, or make a line cost the square.

One process runs as the deployed function does; what it writes to its two streams is all that CloudWatch would get.
"""

import json

import pytest

from serverless_django.handlers.api_gateway import handler
from serverless_django.testing import LambdaContext
from serverless_django.testing.log_lines import captured_lines
from tests.fresh_process import ENVIRONMENT, run
from tests.linear import grows_linearly

MARK = "s3cr3t-8c1f"

PROGRAM = """
import logging, sys, threading, warnings
from serverless_django.handlers import sqs
from serverless_django.testing import LambdaContext

MARK = "s3cr3t-8c1f"
SECRET = f"Authorization: Bearer {MARK}"
log = logging.getLogger("app")

class Stubborn:
    def __repr__(self):
        raise ValueError(SECRET)

class Finalized:
    def __del__(self):
        raise ValueError(SECRET)

def circular():
    made = {"token": MARK}
    made["self"] = made
    return made

def chained():
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        return ExceptionGroup(SECRET, [error, ValueError(f"password={MARK}")])

def uncaught():
    raise RuntimeError(SECRET)

def handler_of(error):
    from serverless_django.observability.invocations import observed
    @observed("api_gateway")
    def fail(event, context):
        raise error
    try:
        fail({}, LambdaContext())
    except Exception as raised:
        # What Lambda's runtime prints.
        sys.stdout.write(f"[ERROR] {type(raised).__name__}: {raised}\\n")

log.error(f"caf\\udce9 {SECRET}")
log.error("circle", extra={"circle": circular()})
log.error("%s of %d, password=%s", SECRET, MARK)
log.error("%s", Stubborn())
log.error("deep", extra={"number": 10**5000, "nan": float("nan"), "bytes": SECRET.encode(), "key": {SECRET: 1}})
log.error(SECRET, exc_info=chained())
log.error("x" * 300_000 + SECRET)
logging.StreamHandler(sys.stderr).handle(logging.LogRecord("other", 40, "f", 1, "%d", (SECRET,), None))
warnings.warn(SECRET)
thread = threading.Thread(target=uncaught)
thread.start()
thread.join()
Finalized()
handler_of(ValueError(SECRET))
handler_of(ValueError("half \\ud800"))
handler_of(type("Quota", (Exception,), {"__str__": lambda self: 1 / 0})())
uncaught()
"""


@pytest.fixture(scope="module")
def printed():
    # Warnings are printed here, not raised.
    finished = run("import warnings; warnings.resetwarnings()\n" + PROGRAM, **ENVIRONMENT.variables())
    return finished.stdout, finished.stderr


@pytest.fixture(scope="module")
def lines(printed):
    return [json.loads(line) for line in printed[0].splitlines() if not line.startswith("[ERROR]")]


def test_no_secret_is_printed_whatever_failed(printed):
    assert MARK not in "".join(printed)


def test_nothing_is_printed_but_lines_and_what_the_runtime_says(printed, lines):
    assert printed[1] == ""
    assert len(lines) >= 12


@pytest.mark.parametrize(
    "told",
    [
        "caf\\udce9",
        "circle",
        "the arguments do not fit: TypeError",
        "the arguments do not fit: ValueError",
        "deep",
        "characters cut",
        "UserWarning",
        "uncaught error in a thread",
        "an error that could not be raised",
        "uncaught error",
    ],
)
def test_no_line_is_lost_by_what_a_client_sends(told, lines):
    assert [line for line in lines if told in str(line["message"])]


def test_the_causes_and_members_of_an_error_hide_tokens(lines):
    [line] = [line for line in lines if "ExceptionGroup" in line.get("exception", "")]

    assert "KeyError" in line["exception"]
    assert "password=[hidden]" in line["exception"]


@pytest.mark.parametrize("said", ["ValueError: Authorization: [hidden]", r"ValueError: half \ud800", "Quota: <Quota"])
def test_an_error_that_leaves_the_handler_is_printed_without_secrets(said, printed):
    assert f"[ERROR] {said}" in printed[0]


def request(path="/", **headers):
    context = {"http": {"method": "GET", "path": path, "sourceIp": "192.0.2.1"}, "requestId": "1"}
    return {"version": "2.0", "rawPath": path, "rawQueryString": f"token={MARK}", "requestContext": context,
            "headers": {"host": "testserver"} | headers}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    "unit", ["eyJ", "eyJa.", "a@", "a.@", "://a:", "w://a:", "password=", "Bearer ", '\\"password\\":\\"'],
)  # fmt: skip
@pytest.mark.parametrize("place", ["path", "trace"])
def test_a_long_path_or_trace_costs_no_more_than_it_is_long(place, unit):
    def send(text):
        handler(request("/" + text) if place == "path" else request(**{"x-amzn-trace-id": text}), LambdaContext())

    with captured_lines():
        assert grows_linearly(send, unit)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trace", ["x" * 10_000, f"Root=1-{MARK}", f"Root=1-5759e988-bd862e3fe1be46a994272793;{MARK}", f"{MARK}\r\n\u2028"]
)
def test_only_a_well_formed_trace_is_logged(trace):
    with captured_lines() as lines:
        handler(request(**{"x-amzn-trace-id": trace}), LambdaContext())

    told = {line.get("trace_id") for line in lines()}
    assert told <= {None, "1-5759e988-bd862e3fe1be46a994272793"}
    assert MARK not in json.dumps(lines())


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nothing", "/v1/posts/x", "/v1/books/%00", "/v1/books"])
def test_a_line_about_a_refused_request_does_not_hold_its_query(path):
    with captured_lines() as lines:
        reply = handler(request(path), LambdaContext())

    assert 400 <= reply["statusCode"] < 500
    assert len(lines()) >= 1
    assert MARK not in json.dumps(lines())


@pytest.mark.django_db
@pytest.mark.parametrize("parameters", [[MARK], {"a": [MARK]}, {"a": {"b": MARK}}, {"a": 1, "token": [MARK]}, MARK])
def test_a_query_that_no_gateway_sends_is_refused_and_not_quoted(parameters):
    event = {"httpMethod": "GET", "path": "/", "headers": {"authorization": MARK}, "queryStringParameters": parameters,
             "requestContext": {"identity": {"sourceIp": "192.0.2.1"}}}  # fmt: skip
    with captured_lines() as lines:
        reply = handler(event, LambdaContext())

    assert reply["statusCode"] == 400
    assert MARK not in json.dumps(lines())


@pytest.mark.django_db
def test_a_path_cannot_forge_a_line():
    forged = '/x\n{"level":"CRITICAL","message":"forged"}\u2028{"level":"CRITICAL"}\r'
    with captured_lines() as lines:
        handler(request(forged), LambdaContext())

    assert {line["level"] for line in lines()} <= {"INFO", "WARNING"}
