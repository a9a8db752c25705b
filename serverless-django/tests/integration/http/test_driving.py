"""However a view is written, it runs on one connection, starts no thread and leaves nothing to the next request."""

import asyncio
import threading

import pytest
from asgiref.sync import markcoroutinefunction
from django.core import signals
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)

BRIDGES = ["sync_pid", "async_pid", "sync_async_sync_pid", "async_sync_async_sync_pid"]


@pytest.mark.parametrize("view", ["sync_pid", "async_pid"])
def test_two_hundred_requests_use_one_connection_and_start_no_thread(value, threads, view):
    pids = {value(f"/{view}") for _ in range(200)}

    assert len(pids) == 1
    assert threads() == 0


def test_the_server_saw_one_connection(value, postgresql):
    pid = value("/sync_pid")
    for view in BRIDGES * 3:
        value(f"/{view}")

    assert {value(f"/{view}") for view in BRIDGES} == {pid}
    assert connection.connection.info.backend_pid == pid


@pytest.mark.parametrize("view", BRIDGES)
def test_synchronous_and_asynchronous_code_call_each_other_in_both_orders(value, threads, view):
    assert value(f"/{view}") == value("/sync_pid")
    assert threads() == 0


def test_queries_that_are_gathered_take_turns_on_the_one_connection(value):
    assert value("/gathered_pids") == 1


@pytest.mark.parametrize("view", ["leave_a_mark", "leave_a_mark_async"])
def test_a_context_variable_does_not_reach_the_next_request(value, view):
    assert [value(f"/{view}") for _ in range(3)] == ["clean"] * 3


def test_a_view_runs_on_the_main_thread(value):
    assert value("/thread") is True


def test_a_view_may_run_its_own_loop(value, threads):
    assert [value("/run_a_loop") for _ in range(2)] == ["ran", "ran"]
    assert value("/async_pid") == value("/sync_pid")
    assert threads() == 0


def test_a_loop_that_ran_between_two_requests_disturbs_neither(value):
    before = value("/async_pid")
    asyncio.run(asyncio.sleep(0))

    assert value("/async_pid") == before


class AsyncOnlyMiddleware:
    sync_capable = False
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request):
        await asyncio.sleep(0)
        response = await self.get_response(request)
        response.headers["X-Seen"] = threading.current_thread().name
        return response


@pytest.fixture
def _async_middleware(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.AsyncOnlyMiddleware"]


@pytest.mark.usefixtures("_async_middleware")
@pytest.mark.parametrize("view", BRIDGES)
def test_async_middleware_runs_on_the_lasting_event_loop(get, threads, view):
    replies = [get(f"/{view}") for _ in range(3)]

    assert {reply["headers"]["x-seen"] for reply in replies} == {"async views"}
    assert len({reply["body"] for reply in replies}) == 1
    assert threads() == 0


@pytest.mark.parametrize("view", ["sync_pid", "async_pid", "stream", "stream_async", "fail", "stream_that_breaks"])
def test_each_request_starts_and_finishes_once(get, view):
    sent = []

    def started(**kwargs):
        sent.append("started")

    def finished(**kwargs):
        sent.append("finished")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    get(f"/{view}")
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)

    assert sent == ["started", "finished"]


def test_an_exit_is_not_answered(get):
    with pytest.raises(SystemExit):
        get("/leave")


def test_the_test_client_works_beside_the_adapter(value, client, settings):
    value("/sync_pid")

    assert client.get("/sync_pid", headers={"host": settings.ALLOWED_HOSTS[0]}).status_code == 200
