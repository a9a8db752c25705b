from threading import Thread

import pytest
from django.db import connection

from lambda_app.apps.feed.errors import ConflictError
from lambda_app.apps.feed.models import Follow, Member
from lambda_app.apps.feed.services import members
from serverless_django.testing.requests import client_with_claims
from tests.integration.feed.conftest import make_member

pytestmark = pytest.mark.django_db


def test_the_first_call_makes_the_member(ada):
    response = ada.get("/v1/members/ada")

    assert response.status_code == 200
    assert response.json()["handle"] == "ada"
    assert Member.objects.get().subject == "subject-of-ada"


def test_without_claims_the_answer_asks_for_a_bearer_token(client):
    response = client.get("/v1/feed")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "a\x00b"])
def test_a_subject_that_cannot_be_stored_is_no_caller(subject):
    response = client_with_claims(sub=subject, preferred_username="ada").get("/v1/feed")

    assert response.status_code == 401


@pytest.mark.parametrize("name", [None, "", "a b", "ada@example.org", "x" * 65, "a\x00b", "ada\n", "Ädä", ".", "..",
                                  "\N{KELVIN SIGN}im"])  # fmt: skip
def test_a_new_caller_needs_a_name_that_can_be_a_handle(name):
    response = client_with_claims(sub="s", preferred_username=name).get("/v1/feed")

    assert response.status_code == 403
    assert not Member.objects.exists()


def test_a_known_caller_keeps_the_handle_whatever_the_token_says_later(ada):
    ada.get("/v1/feed")

    renamed = client_with_claims(sub="subject-of-ada", preferred_username="lovelace")

    assert renamed.get("/v1/members/ada").status_code == 200


def test_a_handle_that_another_subject_has_is_a_conflict(ada):
    ada.get("/v1/feed")

    response = client_with_claims(sub="impostor", preferred_username="Ada").get("/v1/feed")

    assert response.status_code == 409
    assert "'ada' belongs to another member" in response.json()["detail"]


def test_a_blocked_member_may_not_call(ada):
    Member.objects.create(subject="subject-of-ada", handle="ada", is_active=False)

    assert ada.get("/v1/feed").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_racing_first_calls_make_one_member():
    ids = set()

    def register() -> None:
        ids.add(members.register_member(subject="s", preferred_username="ada").id)
        connection.close()

    threads = [Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == Member.objects.count() == 1


def test_following_twice_is_following_once(ada, bob):
    bob.get("/v1/feed")

    answers = [ada.put("/v1/members/bob/follow").status_code for _ in range(2)]

    assert answers == [204, 204]
    assert Follow.objects.count() == 1
    assert ada.get("/v1/members/bob").json()["follower_count"] == 1


def test_a_member_is_shown_with_whether_the_caller_follows(ada, bob):
    bob.get("/v1/feed")
    before = ada.get("/v1/members/bob").json()["followed"]

    ada.put("/v1/members/bob/follow")

    assert (before, ada.get("/v1/members/bob").json()["followed"]) == (False, True)
    assert bob.get("/v1/members/ada").json()["following_count"] == 1


def test_unfollowing_is_symmetric_and_repeatable(ada, bob):
    bob.get("/v1/feed")
    ada.put("/v1/members/bob/follow")

    answers = [ada.delete("/v1/members/bob/follow").status_code for _ in range(2)]

    assert answers == [204, 204]
    assert (Follow.objects.count(), Member.objects.get(handle="bob").follower_count) == (0, 0)


def test_no_member_follows_themselves(ada):
    response = ada.put("/v1/members/ada/follow")

    assert (response.status_code, response.json()["detail"]) == (409, "members cannot follow themselves")


def test_a_follow_over_the_limit_changes_nothing(ada, monkeypatch):
    monkeypatch.setattr(members, "MAX_FOLLOWING", 1)
    make_member("bob"), make_member("eve")
    ada.put("/v1/members/bob/follow")

    response = ada.put("/v1/members/eve/follow")

    assert response.status_code == 409
    assert (Follow.objects.count(), Member.objects.get(handle="eve").follower_count) == (1, 0)


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_member_is_not_found(ada, method):
    path = "/v1/members/unknown" + ("" if method == "get" else "/follow")

    assert getattr(ada, method)(path).status_code == 404


@pytest.mark.parametrize("handle", ["x" * 65, "a%00b", "a%20b", "%F0%9F%98%80", "ada%0A", ".", "..", "%2E%2E",
                                    "%E2%84%AAim"])  # fmt: skip
def test_a_handle_that_cannot_be_is_refused(ada, handle):
    assert ada.get(f"/v1/members/{handle}").status_code == 422


def test_a_handle_may_be_written_in_capitals(ada):
    assert ada.get("/v1/members/ADA").json()["handle"] == "ada"


@pytest.mark.django_db(transaction=True)
def test_two_members_who_follow_each_other_at_once_do_not_deadlock():
    pair = [make_member("ada"), make_member("bob")]
    failures: list[Exception] = []

    def follow(follower: Member, handle: str) -> None:
        try:
            for _ in range(20):
                members.follow_member(follower=follower, handle=handle)
                members.unfollow_member(follower=follower, handle=handle)
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        connection.close()

    threads = [Thread(target=follow, args=(pair[i], pair[1 - i].handle)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert set(Member.objects.values_list("follower_count", "following_count")) == {(0, 0)}


def test_the_limit_is_said_in_the_refusal(monkeypatch):
    monkeypatch.setattr(members, "MAX_FOLLOWING", 0)
    make_member("bob")

    with pytest.raises(ConflictError, match="you follow 0 members, which is the limit"):
        members.follow_member(follower=make_member("ada"), handle="bob")
