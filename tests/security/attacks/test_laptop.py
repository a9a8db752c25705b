"""A web page that a developer visits while the laptop's cloud runs sends requests to its ports."""

import http.client
import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.emulator import ACCOUNT, CREDENTIALS, new_credentials
from serverless_django.local.running import RECORD, RunningCloud
from tests.e2e.conftest import Phone, make_laptop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(timedelta(minutes=10).total_seconds())]

FOREIGN = (
    {"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}, {"host": "localhost.evil.example:80"}, {"host": ""},
    {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1.evil.example"},
    {"origin": "http://localhost@evil.example"}, {"origin": "http://192.168.1.9:8000"},
)  # fmt: skip
PORTS = ("url", "control", "console", "endpoint")
JSON = "application/json"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    laptop = make_laptop(tmp_path_factory.mktemp("laptop"))
    laptop.start()
    yield laptop.state
    laptop.stop()


@pytest.fixture
def cloud(state):
    return RunningCloud.find(state)


@pytest.fixture
def aws(cloud):
    return EmulatedAws(cloud.endpoint, cloud.credentials)


@pytest.fixture
def bucket(cloud):
    return cloud.outputs["BucketUploadsName"]


@pytest.fixture
def form(aws, bucket):
    """Return a form as `presigned_post()` of the storage signs it."""
    fixed = {"Content-Type": "image/png"}
    return aws.client("s3").generate_presigned_post(bucket, "a/b.png", fixed, [fixed, ["content-length-range", 1, 9]])


@pytest.fixture
def put(cloud, state):
    """Return a request to upload that the API has signed for a member."""
    body = {"content_type": "image/png", "size": 4}
    return Phone(cloud.url, cloud.issue_token("ada")).request("POST", "/v1/photos", body).json


def send(url, path="/", *, method="GET", body=b"", **headers):
    """Send exactly these headers and return the reply, read."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    sent = {"host": target.netloc, "content-length": str(len(body))} | headers
    for name, value in sent.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    reply = connection.getresponse()
    reply.body = reply.read()
    connection.close()
    return reply


def steer(cloud, action, body="{}", **headers):
    sent = {"authorization": f"Bearer {cloud.control_token}", "content_type": JSON} | headers
    return send(cloud.control, f"/{action}", method="POST", body=body.encode(), **sent)


# --- Every port ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("port", PORTS)
def test_a_page_of_another_site_gets_nothing_from_a_port(cloud, port, headers):
    reply = send(getattr(cloud, port), "/_ministack/health" if port == "endpoint" else "/", **headers)

    assert reply.status in (403, 421)
    assert reply.getheader("access-control-allow-origin") is None


@pytest.mark.parametrize("port", PORTS)
def test_a_page_of_another_site_gets_no_leave_to_send_json(cloud, port):
    asking = {"origin": "https://evil.example", "access_control_request_method": "POST"}
    reply = send(getattr(cloud, port), "/deploy", method="OPTIONS", **asking)

    assert reply.status == 403
    assert reply.getheader("access-control-allow-origin") is None


# --- The launcher -----------------------------------------------------------------------------------------------------


def test_another_user_of_the_machine_does_not_read_the_token(state, cloud):
    assert (state / RECORD).stat().st_mode & 0o777 == 0o600
    assert len(cloud.control_token) > 40
    assert cloud.control_token not in repr(cloud)


@pytest.mark.parametrize("action", ["invoke", "deploy", "totals", "environments", "guess"])
@pytest.mark.parametrize("said", ["", "Bearer ", "Bearer guess", "Basic Og==", "Bearer é"])
def test_no_action_of_the_launcher_runs_without_its_token(cloud, action, said):
    assert steer(cloud, action, authorization=said).status == 401


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_sets_off_no_action_of_the_launcher(cloud, content_type):
    assert steer(cloud, "deploy", content_type=content_type).status == 415


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_the_token_alone_is_not_enough_for_a_page_of_another_site(cloud, headers):
    assert steer(cloud, "totals", **headers).status in (403, 421)
    assert steer(cloud, "totals").status == 200


@pytest.mark.parametrize(
    "request_",
    [
        {"function": "os", "version": "1"},
        {"function": "antigravity.handler", "version": "$LATEST"},
        {"function": "../../../etc", "version": "1"},
        {"function": "", "version": ""},
        {"function": ["a"], "version": {"a": 1}},
        {"configuration": {
            "FunctionName": "f", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Role": "r",
            "Handler": "antigravity.handler", "CodeSha256": "Li4="}},
        {},
    ],
    ids=str,
)  # fmt: skip
def test_no_module_is_run_that_is_not_the_handler_of_a_deployed_function(cloud, request_):
    reply = steer(cloud, "invoke", json.dumps(request_ | {"event": {}}))

    assert reply.status == 404
    # By their handlers: a schedule may start one of ours at any moment.
    assert {item["source"] for item in cloud.environments()} <= {"api_gateway", "management", "s3", "sqs"}


def test_a_version_that_a_function_does_not_have_is_not_run(cloud, aws):
    name = aws.client("lambda").list_functions()["Functions"][0]["FunctionName"]

    assert steer(cloud, "invoke", json.dumps({"function": name, "version": "999", "event": {}})).status == 404


# --- The console ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_presses_no_button_of_the_console(cloud, content_type):
    assert send(cloud.console, "/actions/kill", method="POST", body=b"{}", content_type=content_type).status == 415


# --- The emulated AWS -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"AWS_ACCESS_KEY_ID": ACCOUNT},
        {"AWS_ACCESS_KEY_ID": "123456789012"},
        {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
        new_credentials(),
    ],
    ids=["test", "the account", "an account", "a documented key", "keys of another start"],
)
@pytest.mark.parametrize("service", ["lambda", "sqs", "s3", "cloudformation", "iam", "secretsmanager"])
def test_keys_that_are_published_or_guessed_open_nothing(cloud, service, keys):
    asked = {
        "lambda": "list_functions", "sqs": "list_queues", "s3": "list_buckets", "cloudformation": "describe_stacks",
        "iam": "list_roles", "secretsmanager": "list_secrets",
    }  # fmt: skip
    client = EmulatedAws(cloud.endpoint, CREDENTIALS | keys).client(service)

    with pytest.raises(ClientError) as refused:
        getattr(client, asked[service])()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 401, 403)


def test_the_name_of_the_key_opens_nothing_without_the_secret(cloud):
    keys = dict(cloud.credentials) | {"AWS_SECRET_ACCESS_KEY": "test"}

    with pytest.raises(ClientError, match="signature"):
        EmulatedAws(cloud.endpoint, keys).client("lambda").list_functions()


def test_the_keys_of_cdks_own_functions_do_not_follow_from_their_names(cloud, aws):
    from ministack.core.lambda_runtime import execution_credentials

    for function in aws.client("lambda").list_functions()["Functions"]:
        with suppress(ClientError):
            EmulatedAws(cloud.endpoint, execution_credentials(function)).client("sts").get_caller_identity()
            pytest.fail(f"keys of {function['FunctionName']} were guessed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/?Action=ListQueues"),
        ("GET", "/?Action=ListQueues&AWSAccessKeyId=test&Signature=a"),
        ("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test/1/r/s3/aws4_request&X-Amz-Signature=a"),
        ("POST", "/"),
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/ses/messages"),
        ("POST", "/_ministack/rds/iam-auth"),
        ("GET", "/2015-03-31/functions"),
        ("POST", "/2015-03-31/functions"),
        ("POST", "/2015-03-31/functions/f/invocations"),
    ],
)  # fmt: skip
def test_a_request_without_a_signature_is_refused(cloud, method, path):
    assert send(cloud.endpoint, path, method=method).status == 403


@pytest.mark.parametrize(
    ("method", "key"), [("GET", ""), ("GET", "a"), ("PUT", "a"), ("DELETE", "a"), ("POST", "?delete")]
)
def test_no_bucket_is_public(cloud, bucket, method, key):
    assert send(cloud.endpoint, f"/{bucket}/{key}", method=method).status == 403


def test_a_signature_does_not_help_a_page_of_another_site(aws):
    assert aws.client("lambda").list_functions()["Functions"]
    foreign = EmulatedAws(aws.endpoint, dict(aws.credentials) | {"made": "again"}).client("lambda")
    foreign.meta.events.register(
        "before-send", lambda request, **_: request.headers.update(Origin="https://evil.example")
    )

    with pytest.raises(ClientError, match="403"):
        foreign.list_functions()


# --- The form for uploads, which a page of any site may send ----------------------------------------------------------


def upload(cloud, bucket, fields, query="", **headers):
    body = encode_multipart(BOUNDARY, fields | {"file": SimpleUploadedFile("a.png", b"file")})
    sent = {"content_type": MULTIPART_CONTENT, "origin": "https://app.example"} | headers
    return send(cloud.endpoint, f"/{bucket}{query}", method="POST", body=body, **sent)


def test_a_page_of_another_site_may_send_a_form_that_was_signed(cloud, bucket, form, aws):
    assert upload(cloud, bucket, form["fields"]).status in (201, 204)
    assert aws.client("s3").head_object(Bucket=bucket, Key=form["fields"]["key"])["ContentLength"] == 4


@pytest.mark.parametrize(
    "change",
    [
        {"key": "another"}, {"x-amz-signature": "0" * 64}, {"policy": "e30="}, {"x-amz-credential": "test/a/b/s3/c"},
        {"x-amz-security-token": "guess"}, {"Content-Type": "text/html"},
    ],
    ids=str,
)  # fmt: skip
def test_a_form_that_was_changed_uploads_nothing(cloud, bucket, form, change):
    assert upload(cloud, bucket, form["fields"] | change).status in (400, 403)


def test_a_form_without_a_signature_uploads_nothing(cloud, bucket, aws):
    assert upload(cloud, bucket, {"key": "unsigned"}).status == 403
    assert upload(cloud, bucket, {"key": "unsigned", "policy": "e30="}).status == 403
    with pytest.raises(ClientError, match="404"):
        aws.client("s3").head_object(Bucket=bucket, Key="unsigned")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?delete", {}),
        ("?uploads", {}),
        ("?Action=ListQueues", {}),
        ("", {"x_amz_target": "AmazonSQS.ListQueues"}),
        ("", {"x_amz_target": "secretsmanager.ListSecrets", "origin": "http://localhost:3000"}),
        ("", {"host": "evil.example"}),
    ],
)
def test_the_door_for_forms_opens_nothing_else(cloud, bucket, form, query, headers):
    assert upload(cloud, bucket, form["fields"], query, **headers).status in (400, 403, 421)


def test_a_page_of_another_site_does_not_send_the_request_that_the_api_has_signed(put):
    address = urlsplit(put["url"])
    path, headers = f"{address.path}?{address.query}", put["headers"] | {"Host": address.netloc}
    named = {name.lower(): value for name, value in headers.items()}

    foreign = send(put["url"], path, method="PUT", body=b"file", **named | {"origin": "https://evil.example"})
    own = send(put["url"], path, method="PUT", body=b"file", **named | {"origin": "http://localhost:3000"})

    assert (foreign.status, own.status) == (403, 200)


# --- The runtime API of each environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [*FOREIGN, {"sec_fetch_site": "cross-site"}, {"origin": "http://localhost:8000"}], ids=str
)
@pytest.mark.parametrize("path", ["next", "1/response", "1/error"])
@pytest.mark.daily(3)
def test_a_page_neither_takes_the_events_of_a_function_nor_answers_for_it(cloud, headers, path):
    assert send(cloud.url, "/healthz").status == 200
    pid = next(item["pid"] for item in cloud.environments() if item["source"] == "api_gateway")
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    [address] = [value.partition(b"=")[2] for value in variables if value.startswith(b"AWS_LAMBDA_RUNTIME_API=")]

    method = "GET" if path == "next" else "POST"
    url = f"http://{address.decode()}"
    assert send(url, f"/2018-06-01/runtime/invocation/{path}", method=method, **headers).status == 403
    assert send(cloud.url, "/healthz").status == 200
