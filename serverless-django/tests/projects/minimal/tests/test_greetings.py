import json

import pytest

from lambda_app.handlers.api_gateway import handler


@pytest.mark.django_db(transaction=True)
def test_a_greeting_is_stored_by_its_task(client):
    assert client.post("/greetings?name=Ada").status_code == 202

    assert client.get("/greetings").json() == {"greetings": ["Ada"]}


@pytest.mark.django_db(transaction=True)
def test_the_handler_answers_the_sample_event(event, lambda_context):
    answer = handler(event("api_gateway/greetings"), lambda_context)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"greetings": []})
