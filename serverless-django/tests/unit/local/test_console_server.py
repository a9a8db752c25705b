"""Who may ask the console for what."""

import asyncio
import json

import pytest

from serverless_django.local.console.actions import RefusedActionError
from serverless_django.local.console.server import Console


class Actions:
    """One button that works and one that cannot."""

    def by_name(self):
        async def press(parameters):
            return {"said": f"pressed {parameters['how']}"}

        async def refuse(parameters):
            raise RefusedActionError("not now")

        return {"press": press, "refuse": refuse}


def ask(path, *, method="GET", host="127.0.0.1:8001", content_type="application/json", body=b'{"how": "hard"}'):
    """Return the status and the body of the reply."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode()), (b"content-type", content_type.encode())]
    scope = {"method": method, "path": path, "query_string": b"", "headers": headers}
    asyncio.run(Console(None, Actions())(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_the_page_is_served():
    status, body = ask("/")

    assert status == 200
    assert body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("path", ["/../server.py", "/..%2fserver.py", "/static/console.css", "//etc/passwd"])
def test_nothing_but_the_page_is_served(path):
    assert ask(path)[0] == 404


def test_a_button_does_what_it_is_for():
    status, body = ask("/actions/press", method="POST")

    assert (status, json.loads(body)) == (200, {"said": "pressed hard"})


def test_a_button_that_cannot_says_why():
    assert ask("/actions/refuse", method="POST") == (409, b'{"error": "not now"}')


@pytest.mark.parametrize("body", [b"{", b"\xff"])
def test_parameters_that_are_no_json_are_refused(body):
    assert ask("/actions/press", method="POST", body=body)[0] == 409


def test_there_is_no_other_button():
    assert ask("/actions/explode", method="POST")[0] == 404


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_site_cannot_press_a_button_by_a_form(content_type):
    assert ask("/actions/press", method="POST", content_type=content_type)[0] == 415


@pytest.mark.parametrize("path", ["/", "/events", "/metrics", "/actions/press"])
def test_a_dns_name_that_points_to_this_machine_is_not_answered(path):
    assert ask(path, host="evil.example:8001")[0] == 421
