import json

import pytest
from lambda_app.models import Greeting
from lambda_app.tasks import greet

from lambda_app.handlers import api_gateway, sqs
from serverless_django.pagination import read_page
from serverless_django.testing.requests import call_api
from serverless_django.testing.sqs_events import failed_messages, sqs_event, task_body


@pytest.mark.django_db(transaction=True)
def test_a_greeting_is_stored_by_its_task(client):
    assert client.post("/greetings?name=Ada").status_code == 202

    assert client.get("/greetings").json() == {"greetings": ["Ada"]}


@pytest.mark.django_db(transaction=True)
def test_the_handler_answers_the_sample_event(event, lambda_context):
    answer = api_gateway.handler(event("api_gateway/greetings"), lambda_context)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"greetings": []})


def test_a_request_through_the_handler_sends_one_call(one_connection, task_queue):
    answer = call_api(api_gateway.handler, "POST", "/greetings", query="name=Ada")

    assert answer.status == 202
    assert [(call.task, call.args) for call in task_queue.calls] == [(greet, ["Ada"])]


def test_a_call_that_is_delivered_runs(db, task_queue):
    greet.enqueue("Ada")

    task_queue.run()

    assert [greeting.name for greeting in Greeting.objects.all()] == ["Ada"]


@pytest.mark.django_db(transaction=True)
def test_the_worker_runs_the_calls_of_a_batch_and_returns_what_is_no_call(lambda_context):
    response = sqs.handler(sqs_event(task_body(greet, "Ada"), "not a call"), lambda_context)

    assert failed_messages(response) == ["m1"]
    assert Greeting.objects.get().name == "Ada"


def test_pages_hold_every_greeting_once(db):
    Greeting.objects.bulk_create(Greeting(name=name) for name in ("Ada", "Bob", "Eve"))

    first = read_page(Greeting.objects.all(), limit=2)
    last = read_page(Greeting.objects.all(), cursor=first.next_cursor, limit=2)

    assert [greeting.name for greeting in first.rows + last.rows] == ["Eve", "Bob", "Ada"]
    assert last.next_cursor is None
