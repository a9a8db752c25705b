import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from lambda_app.serverless.http import origin


@pytest.fixture
def secrets(monkeypatch, settings):
    """What Secrets Manager answers, one after the other, and how often it was asked."""
    settings.ORIGIN_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:origin"
    answers = ["first", "second"]
    monkeypatch.setattr(origin, "read_secret", lambda arn: answers.pop(0))
    return answers


@pytest.fixture
def middleware():
    return origin.OriginMiddleware(lambda request: HttpResponse("served"))


@pytest.fixture
def ask(middleware, rf):
    def ask(**headers):
        return middleware(rf.get("/", headers=headers)).content

    return ask


def test_a_request_through_cloudfront_is_served_and_the_secret_read_once(ask, secrets):
    answers = [ask(**{"x-origin-secret": "first"}) for _ in range(3)]

    assert answers == [b"served"] * 3
    assert secrets == ["second"]


@pytest.mark.parametrize("headers", [{}, {"x-origin-secret": ""}, {"x-origin-secret": "guess"}])
def test_a_request_around_cloudfront_is_refused(ask, secrets, headers):
    with pytest.raises(PermissionDenied, match="CloudFront"):
        ask(**headers)


def test_guesses_do_not_make_us_read_the_secret_again(ask, secrets):
    for _ in range(3):
        with pytest.raises(PermissionDenied):
            ask(**{"x-origin-secret": "guess"})

    assert secrets == ["second"]


def test_a_secret_that_a_deploy_changed_is_read_again(ask, secrets, monkeypatch):
    ask(**{"x-origin-secret": "first"})
    monkeypatch.setattr(origin, "REREAD_SECONDS", -1)

    assert ask(**{"x-origin-secret": "second"}) == b"served"
