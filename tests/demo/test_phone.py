"""A phone waits only so long, and says what it saw."""

import pytest

from tests.demo import phone
from tests.demo.phone import Answer, MismatchError, Phone, eventually

ADA = Phone(url="http://api.example", member="ada", token="t")


def test_a_value_that_comes_in_time_is_returned():
    values = iter([1, 2, 3])

    assert eventually(lambda: next(values), lambda value: value == 3, what="three", within_seconds=5, poll=0) == 3


def test_when_time_is_over_the_last_value_is_told():
    with pytest.raises(MismatchError, match=r"three: not within 0\.01 s; saw last 1"):
        eventually(lambda: 1, lambda value: value == 3, what="three", within_seconds=0.01, poll=0.001)


def test_another_status_than_promised_is_a_mismatch_with_the_body(monkeypatch):
    monkeypatch.setattr(phone, "send", lambda *_, **__: Answer(409, {}, b'{"detail": "too late"}'))

    with pytest.raises(MismatchError, match=r"ada: PUT /v1/members/eve/follow should answer 204, .* 409 .*too late"):
        ADA.follow("eve")


def test_a_feed_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(phone, "send", lambda *_, **__: Answer(200, {}, b'{"posts": [], "next_cursor": "again"}'))

    with pytest.raises(MismatchError, match="no end after 3 pages"):
        list(ADA.feed_pages(limit=1, max_pages=3))
