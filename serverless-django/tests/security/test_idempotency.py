"""A POST that is repeated with its key has one effect, and the answer that was given first."""

import threading
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.tasks import task_backends
from django.test import RequestFactory

from serverless_django.idempotency import answers
from serverless_django.idempotency.answers import RequestKey
from serverless_django.idempotency.middleware import IdempotencyMiddleware, StreamedAnswerError
from serverless_django.idempotency.models import StoredAnswer
from serverless_django.postgresql.cursors import run_statement
from serverless_django.tasks.models import DeferredCall

pytestmark = pytest.mark.django_db(transaction=True)


class Shop:
    """A view whose effect is a row, behind the middleware."""

    def __init__(self, after=None):
        self.calls = 0
        self.after = after or (lambda: None)
        self.middleware = IdempotencyMiddleware(self.view)

    def view(self, request):
        self.calls += 1
        Group.objects.create(name=f"order-{self.calls}")
        return self.after() or JsonResponse({"order": self.calls}, status=201, headers={"Location": "/orders/1"})

    def post(self, key="a", body=b"{}", *, subject="ada", path="/orders", method="POST"):
        headers = {} if key is None else {"Idempotency-Key": key}
        request = RequestFactory().generic(method, path, body, content_type="application/json", headers=headers)
        request.claims = subject and {"sub": subject}
        return self.middleware(request)


def orders():
    return Group.objects.count()


def test_the_same_request_has_one_effect_and_one_answer():
    shop = Shop()

    first, second = shop.post(), shop.post()

    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, b'{"order": 1}')
    assert (second.headers["Location"], second.headers["Content-Type"]) == ("/orders/1", "application/json")
    assert ("Idempotent-Replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert orders() == 1


@pytest.mark.parametrize("others", [{"key": "b"}, {"subject": "bob"}])
def test_another_key_or_another_member_is_another_request(others):
    shop = Shop()
    shop.post()

    assert shop.post(**others).status_code == 201
    assert orders() == 2


@pytest.mark.parametrize("others", [{"body": b"[]"}, {"path": "/orders?a"}, {"path": "/other"}, {"method": "PATCH"}])
def test_a_key_that_was_used_for_another_request_is_refused(others):
    shop = Shop()
    shop.post()

    assert shop.post(**others).status_code == 422
    assert orders() == 1


@pytest.mark.parametrize("others", [{"key": None}, {"subject": None}, {"method": "PUT"}])
def test_without_a_key_or_a_caller_nothing_is_kept(others):
    shop = Shop()

    assert [shop.post(**others).status_code for _ in range(2)] == [201, 201]
    assert (orders(), StoredAnswer.objects.count()) == (2, 0)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é", "a\x7fb"])
def test_a_key_that_could_be_mistaken_for_another_is_refused(key):
    assert Shop().post(key).status_code == 400
    assert orders() == 0


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
def test_a_refusal_has_no_effect_and_leaves_the_key_free(status):
    shop = Shop(after=lambda: HttpResponse(status=status))

    assert shop.post().status_code == status
    assert (orders(), StoredAnswer.objects.count()) == (0, 0)
    shop.after = lambda: None
    assert shop.post(body=b"[]").status_code == 201


def test_while_the_first_is_at_work_the_second_is_asked_to_come_again():
    shop = Shop()
    seen = []

    def ask_again():
        thread = threading.Thread(target=lambda: seen.append(in_a_thread(shop.post)))
        thread.start()
        thread.join(10)

    shop.after = ask_again

    assert shop.post().status_code == 201
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in seen] == [(409, "1")]
    assert orders() == 1


def test_of_many_at_once_one_has_the_effect():
    shop = Shop()
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(in_a_thread(shop.post).status_code)) for _ in range(8)]

    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]

    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert orders() == 1


def test_a_killed_process_leaves_neither_an_effect_nor_a_lock():
    def die():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    shop = Shop(after=die)

    assert shop.post().status_code == 503
    shop.after = lambda: None
    assert shop.post().status_code == 201
    assert orders() == 1


def test_the_effect_and_its_answer_are_there_together_or_not_at_all(monkeypatch):
    shop = Shop()
    monkeypatch.setattr("serverless_django.idempotency.middleware.store", refuse)

    assert shop.post().status_code == 503
    assert (orders(), StoredAnswer.objects.count()) == (0, 0)


def test_a_call_of_a_task_is_promised_with_the_answer(settings):
    urls = {name: f"https://sqs.invalid/{name}" for name in ("default", "likes", "views")}
    backend = "serverless_django.tasks.backend.SqsBackend"
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": list(urls), "OPTIONS": {"queue_urls": urls}}}
    from lambda_app.tasks import count_likes

    def enqueue():
        assert task_backends["default"]
        count_likes.enqueue([])
        assert DeferredCall.objects.count() == 1

    shop = Shop(after=enqueue)
    with paused_dispatch():
        shop.post(), shop.post()

    assert DeferredCall.objects.count() == 1


def test_what_streams_cannot_be_repeated():
    shop = Shop(after=lambda: StreamingHttpResponse([b"a"]))

    with pytest.raises(StreamedAnswerError):
        shop.post()
    assert orders() == 0


def test_answers_are_kept_for_a_day_by_the_clock_of_the_database():
    shop = Shop()
    shop.post("old"), shop.post("new")
    key = RequestKey.of(issuer="", subject="ada", name="old")
    age = "UPDATE serverless_answer SET created_at = now() - interval '24 hours 1 second' WHERE key = %s"
    run_statement(age, [key.digest])

    answers.purge()

    assert "Idempotent-Replayed" not in shop.post("old").headers
    assert "Idempotent-Replayed" in shop.post("new").headers


def test_no_key_and_no_name_is_stored_as_it_came():
    Shop().post("a-very-own-key", subject="a-member")

    row = run_statement("SELECT serverless_answer::text FROM serverless_answer")[0][0]
    assert "own-key" not in row
    assert "a-member" not in row


def in_a_thread(call):
    try:
        return call()
    finally:
        connection.close()


def refuse(*arguments):
    raise OperationalError("no room")


@contextmanager
def paused_dispatch():
    from serverless_django.tasks.outbox import Dispatch

    Dispatch._paused_until = float("inf")
    try:
        yield
    finally:
        Dispatch._paused_until = 0.0
