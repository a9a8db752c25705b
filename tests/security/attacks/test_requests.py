"""A member, or a caller without any right, who sends requests that are meant to get more than their due."""

import pytest
from django.http import JsonResponse
from django.test import RequestFactory

from lambda_app.apps.feed.models import Member, Photo
from lambda_app.serverless.idempotency.middleware import IdempotencyMiddleware
from lambda_app.serverless.idempotency.models import StoredAnswer
from tests.security.calls import call

pytestmark = pytest.mark.django_db(transaction=True)

ADA = {"iss": "https://issuer.localhost", "sub": "subject-of-ada", "preferred_username": "ada"}


def ask_for_an_upload(claims=ADA, key="a", **others):
    return call("POST", "/v1/photos", claims=claims, body={"content_type": "image/png"} | others,
                headers={"idempotency-key": key})  # fmt: skip


def block(subject="subject-of-ada"):
    assert Member.objects.filter(subject=subject).update(is_active=False) == 1


def test_a_blocked_member_gets_no_answer_from_before():
    first = ask_for_an_upload()
    block()

    replay = ask_for_an_upload()

    assert (first.status, replay.status, replay.json["detail"]) == (201, 403, "this member is blocked")
    assert "fields" not in replay.body


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
