"""A stranger who knows the API's own address, and so comes around CloudFront and its firewall."""

import json
from uuid import uuid4

import boto3
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started

from serverless_django.http import cloudfront_secret
from serverless_django.http.adapter import LambdaAdapter
from serverless_django.idempotency.models import StoredAnswer
from serverless_django.throttling.models import Bucket

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND, THIRD = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def secret(emulator, monkeypatch):
    """Make the secret as the deploy does, and return a function that rotates it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name=f"origin-{uuid4().hex}", SecretString=FIRST)["ARN"]
    monkeypatch.setenv("ORIGIN_SECRET_ARN", arn)
    yield lambda value: client.put_secret_value(SecretId=arn, SecretString=value)
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    client.close()


@pytest.fixture
def make_environment(secret, event, lambda_context):
    """Return a maker of execution environments, each of which is asked with `ask(event_name, secret, ...)`."""

    def make_environment():
        respond = LambdaAdapter(ASGIHandler())

        def ask(name="api_gateway/healthz", said=None, **changes):
            sent = event(name) | changes
            if said is not None:
                sent["headers"] = sent["headers"] | {"x-origin-secret": said}
            return respond(sent, lambda_context)

        return ask

    return make_environment


@pytest.fixture
def ask(make_environment):
    return make_environment()


@pytest.fixture
def entered():
    """Return the requests that Django was given."""
    seen = []

    def note(scope, **kwargs):
        seen.append(scope["path"])

    request_started.connect(note)
    yield seen
    request_started.disconnect(note)


@pytest.fixture
def reads(monkeypatch):
    """Return how often the secret was read."""
    counted, read = [], cloudfront_secret.read_secrets

    def read_and_count(arn):
        counted.append(arn)
        return read(arn)

    monkeypatch.setattr(cloudfront_secret, "read_secrets", read_and_count)
    return counted


def test_what_came_through_cloudfront_is_served(ask, entered):
    assert ask(said=FIRST)["statusCode"] == 200
    assert entered == ["/healthz"]


@pytest.mark.parametrize(
    "said",
    [None, "", " ", "guess", FIRST[:-1], f"{FIRST}a", FIRST.upper(), f"{FIRST},{FIRST}", f"{FIRST}, guess", f" {FIRST}",
     "\N{PILE OF POO}", "\ud800", "a" * 100_000, 7, [FIRST], {"a": FIRST}, True],
    ids=lambda said: repr(said)[:20],
)  # fmt: skip
def test_a_stranger_does_not_reach_django_by_a_guess(ask, entered, said):
    assert ask(said=said)["statusCode"] == 403
    assert entered == []


@pytest.mark.parametrize(
    "changes",
    [
        {"rawQueryString": f"x-origin-secret={FIRST}", "queryStringParameters": {"x-origin-secret": FIRST}},
        {"cookies": [f"x-origin-secret={FIRST}"]},
        {"headers": {"host": "localhost", "x_origin_secret": FIRST}},
        {"headers": {"host": "localhost", "x-origin-secret ": FIRST}},
        {"headers": {"host": "localhost", "x-forwarded-x-origin-secret": FIRST}},
        {"headers": [["x-origin-secret", FIRST]]},
        {"headers": None},
        {"headers": "x-origin-secret"},
        {"multiValueHeaders": {"x-origin-secret": []}},
        {"multiValueHeaders": {"x-origin-secret": [FIRST, "guess"]}},
        {"body": f"x-origin-secret={FIRST}"},
    ],
    ids=lambda changes: repr(changes)[:40],
)
def test_the_secret_anywhere_but_in_its_header_opens_nothing(ask, entered, changes):
    assert ask(**changes)["statusCode"] == 403
    assert entered == []


@pytest.mark.parametrize("name", ["create", "list", "healthz", "unknown_route"])
def test_no_route_is_answered_around_cloudfront(ask, entered, name):
    refusal = ask(f"api_gateway/{name}")

    assert (refusal["statusCode"], refusal["headers"]["content-type"]) == (403, "application/problem+json")
    assert FIRST not in json.dumps(refusal)
    assert entered == []


def test_a_project_without_any_middleware_is_guarded_as_well(settings, make_environment, entered):
    settings.MIDDLEWARE = []

    assert make_environment()("api_gateway/list")["statusCode"] == 403
    assert entered == []


def test_a_forged_address_spends_no_write_of_a_victim(ask, settings, event):
    settings.PROXIES_BEFORE_GATEWAY, settings.ADDRESS_WRITES_PER_MINUTE = 1, 1
    headers = event("api_gateway/create")["headers"] | {"x-forwarded-for": "198.51.100.7, 192.0.2.7"}

    assert [ask("api_gateway/create", headers=headers)["statusCode"] for _ in range(3)] == [403] * 3
    assert Bucket.objects.count() == 0


def test_no_stored_answer_is_replayed_to_a_stranger(ask, event):
    upload = event("api_gateway/create") | {
        "rawPath": "/v1/books",
        "body": '{"content_type": "image/png", "size": 1}',
    }
    upload["requestContext"]["http"]["path"] = "/v1/books"
    upload["headers"] |= {"idempotency-key": "a"}

    answers = [ask(said=said, **upload) for said in (FIRST, FIRST, None)]

    assert [answer["statusCode"] for answer in answers] == [201, 201, 403]
    assert ["idempotent-replayed" in answer["headers"] for answer in answers] == [False, True, False]
    assert StoredAnswer.objects.count() == 1


def test_a_megabyte_of_base64_is_not_decoded_for_a_stranger(ask, monkeypatch):
    monkeypatch.setattr("serverless_django.http.events.body_of", pytest.fail)

    assert ask(body="YWJj" * 300_000, isBase64Encoded=True)["statusCode"] == 403


def test_a_flood_of_guesses_reads_the_secret_once_a_minute(ask, reads):
    assert {ask(said=f"guess {number}")["statusCode"] for number in range(200)} == {403}
    # Once more than at init would be too much: it was read a moment ago.
    assert len(reads) == 0


def test_a_flood_without_any_secret_never_reads_it(ask, reads, monkeypatch):
    monkeypatch.setattr(cloudfront_secret, "REREAD_SECONDS", -1)

    assert {ask()["statusCode"] for _ in range(20)} == {403}
    assert reads == []


def test_a_rotation_refuses_neither_the_old_nor_the_new_secret(make_environment, secret, monkeypatch):
    monkeypatch.setattr(cloudfront_secret, "REREAD_SECONDS", -1)
    warm = make_environment()
    secret(SECOND)
    cold = make_environment()

    assert [ask(said=said)["statusCode"] for ask in (cold, warm) for said in (FIRST, SECOND, FIRST)] == [200] * 6


def test_a_secret_that_was_rotated_away_twice_opens_no_new_environment(make_environment, secret):
    secret(SECOND)
    secret(THIRD)

    ask = make_environment()

    assert [ask(said=said)["statusCode"] for said in (FIRST, SECOND, THIRD)] == [403, 200, 200]


def test_an_outage_of_the_secret_admits_no_request(make_environment, monkeypatch, entered):
    monkeypatch.setenv("ORIGIN_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:gone")

    answers = [make_environment()(said=said) for said in (None, "", FIRST)]

    assert {(answer["statusCode"], answer["headers"]["retry-after"]) for answer in answers} == {(503, "1")}
    assert entered == []


def test_an_outage_during_a_rotation_forgets_no_secret(ask, monkeypatch):
    monkeypatch.setattr(cloudfront_secret, "REREAD_SECONDS", -1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert [ask(said=said)["statusCode"] for said in ("guess", FIRST)] == [403, 200]


BALANCED = {"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/healthz", "body": "",
            "isBase64Encoded": False, "queryStringParameters": {}, "rawPath": None, "version": None}  # fmt: skip
CHECK = {"user-agent": "ELB-HealthChecker/2.0"}


@pytest.mark.parametrize("kind", ["headers", "multiValueHeaders"])
def test_a_load_balancers_own_health_check_is_answered(ask, kind):
    headers = {name: [value] for name, value in CHECK.items()} if kind == "multiValueHeaders" else CHECK

    assert ask(**BALANCED | {kind: headers})["statusCode"] == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"headers": CHECK | {"host": "localhost"}},
        {"headers": CHECK | {"x-forwarded-for": "203.0.113.9"}},
        {"headers": CHECK, "path": "/v1/books"},
        {"headers": CHECK, "path": "/healthz/../v1/books"},
        {"headers": CHECK, "path": "/healthz%2f..%2fv1/books"},
        {"headers": CHECK, "path": ["/healthz"]},
        {"headers": CHECK, "requestContext": {"http": {"method": "GET", "path": "/healthz"}}},
        {"headers": CHECK, "requestContext": None},
    ],
    ids=lambda forged: repr(forged)[:60],
)
def test_no_client_passes_for_a_health_check(ask, entered, forged):
    assert ask(**BALANCED | forged)["statusCode"] == 403
    assert entered == []
