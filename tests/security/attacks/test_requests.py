"""A member, or a caller without any right, who sends requests that are meant to get more than their due."""

import json
from urllib.parse import unquote

import pytest
from django.http import JsonResponse
from django.test import RequestFactory

from lambda_app.apps.feed.models import Member, Photo
from serverless_django.idempotency.middleware import IdempotencyMiddleware
from serverless_django.idempotency.models import StoredAnswer
from tests.security.calls import call

pytestmark = pytest.mark.django_db(transaction=True)

ADA = {"iss": "https://issuer.localhost", "sub": "subject-of-ada", "preferred_username": "ada"}


def ask_for_an_upload(claims=ADA, key="a", **others):
    return call("POST", "/v1/photos", claims=claims, body={"content_type": "image/png", "size": 1} | others,
                headers={"idempotency-key": key})  # fmt: skip


def block(subject="subject-of-ada"):
    assert Member.objects.filter(subject=subject).update(is_active=False) == 1


def test_a_blocked_member_gets_no_answer_from_before():
    first = ask_for_an_upload()
    block()

    replay = ask_for_an_upload()

    assert (first.status, replay.status, replay.json["detail"]) == (201, 403, "this member is blocked")
    assert "Signature" not in replay.body


def test_a_blocked_member_does_not_learn_that_a_key_was_used():
    ask_for_an_upload()
    block()

    answers = [ask_for_an_upload(key=key, extra=1) for key in ("a", "new")]

    assert {(answer.status, answer.json["detail"]) for answer in answers} == {(403, "this member is blocked")}


def test_a_member_who_is_unblocked_has_their_answers_again():
    first = ask_for_an_upload()
    block()
    Member.objects.update(is_active=True)

    assert ask_for_an_upload().body == first.body


@pytest.mark.parametrize("other", [{"sub": "subject-of-bob"}, {"iss": "https://other.localhost"}])
def test_another_member_gets_no_replay_by_the_same_key(other):
    first = ask_for_an_upload()

    answer = ask_for_an_upload(ADA | {"preferred_username": "bob"} | other)

    assert (answer.body == first.body, "idempotent-replayed" in answer.headers) == (False, False)


@pytest.mark.parametrize("claims", [{"client_id": "machine"}, {"sub": ""}, {"sub": "a\x00da"}, None])
def test_callers_without_a_subject_get_nothing_by_a_key(claims):
    assert {ask_for_an_upload(claims).status for _ in range(2)} == {401}
    assert (StoredAnswer.objects.count(), Photo.objects.count()) == (0, 0)


def test_two_machines_without_a_subject_share_no_answer():
    shop = IdempotencyMiddleware(lambda request: JsonResponse({"for": request.claims["client_id"]}))

    def post(machine):
        request = RequestFactory().post("/orders", headers={"Idempotency-Key": "a"})
        request.claims = {"iss": "https://issuer.localhost", "client_id": machine}
        return shop(request).content

    assert [post("one"), post("two")] == [b'{"for": "one"}', b'{"for": "two"}']


UNKNOWN = "018d3f2e-0000-7000-8000-000000000000"
FLOODS = {
    "unknown keys": ("/v1/posts", {"photo_id": UNKNOWN} | {f"k{number}": 1 for number in range(20_000)}),
    "one very long key": ("/v1/posts", {"photo_id": UNKNOWN, "k" * 200_000: 1}),
    "wrong items": ("/v1/views", {"views": [{"post_id": "x", "a": 1, "b": 2}] * 500}),
    "too many items": ("/v1/views", {"views": [{}] * 20_000}),
    "long values": ("/v1/photos", {"content_type": "x" * 200_000}),
    "unknown keys in items": ("/v1/views", {"views": [{f"k{number}": 1 for number in range(40)}] * 500}),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_body_of_faults_gets_no_answer_larger_than_itself(name):
    path, body = FLOODS[name]
    assert len(json.dumps(body)) < 262_144

    answer = call("POST", path, claims=ADA, body=body)

    assert answer.status == 422
    assert len(answer.json["errors"]) <= 20
    assert answer.json["error_count"] >= len(answer.json["errors"]) > 0
    assert len(answer.body) < 10_000


def test_the_number_of_faults_is_told():
    answer = call("POST", "/v1/posts", claims=ADA, body={f"k{number}": 1 for number in range(5_000)})

    # The keys, and the photo that is missing.
    assert (len(answer.json["errors"]), answer.json["error_count"]) == (20, 5_001)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("handle", [".", "..", "%2e", "%2E%2e"])
def test_a_handle_that_leads_to_another_place_is_no_member(method, handle):
    path = f"/v1/members/{handle}" + ("" if method == "GET" else "/follow")

    assert call(method, path, claims=ADA).status == 422


@pytest.mark.parametrize("name", [".", "..", "\N{KELVIN SIGN}", "\N{FULLWIDTH FULL STOP}"])
def test_no_client_becomes_a_member_by_a_name_that_is_a_path(name):
    answer = call("GET", "/v1/feed", claims={"iss": "https://issuer.localhost", "sub": "x", "preferred_username": name})

    assert (answer.status, Member.objects.count()) == (403, 0)


@pytest.mark.parametrize(
    "limit", ["5_0", "+5", "%2B5", " 5", "%205", "5%20", "05", "5.0", "5e0", "0x5", "\u0665", "5%00"]
)
def test_what_is_no_number_is_no_limit(limit):
    assert call("GET", "/v1/feed", claims=ADA, query=f"limit={limit}").status == 422


IDS = [UNKNOWN.replace("-", ""), f"{{{UNKNOWN}}}", f"urn:uuid:{UNKNOWN}", f"{UNKNOWN}%0A", f"%20{UNKNOWN}", "1_0"]


@pytest.mark.parametrize("written", IDS)
def test_an_id_has_one_way_to_be_written(written):
    assert call("GET", f"/v1/posts/{written}", claims=ADA).status == 422
    assert call("POST", "/v1/posts", claims=ADA, body={"photo_id": unquote(written)}).status == 422
