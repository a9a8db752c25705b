"""Views for the tests of this folder."""

import asyncio
import contextlib
import contextvars
import threading
import time

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

MARK = contextvars.ContextVar("mark", default="clean")

CLOSED = []
"""What the generators of streams say as they end."""


def query(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def pid():
    return query("SELECT pg_backend_pid()")


def write():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE abandoned (id int)")


def answer(value):
    return JsonResponse({"value": value})


def sync_pid(request):
    return answer(pid())


async def async_pid(request):
    return answer(await sync_to_async(pid)())


async def gathered_pids(request):
    pids = await asyncio.gather(*(sync_to_async(pid)() for _ in range(5)))
    return answer(len(set(pids)))


def sync_async_sync_pid(request):
    async def inner():
        return await sync_to_async(pid)()

    return answer(async_to_sync(inner)())


async def async_sync_async_sync_pid(request):
    async def innermost():
        return await sync_to_async(pid)()

    return answer(await sync_to_async(lambda: async_to_sync(innermost)())())


def leave_a_mark(request):
    before = MARK.get()
    MARK.set("dirty")
    return answer(before)


async def leave_a_mark_async(request):
    return leave_a_mark(request)


def thread(request):
    return answer(threading.current_thread() is threading.main_thread())


def run_a_loop(request):
    return answer(asyncio.run(asyncio.sleep(0, "ran")))


def stream(request):
    def parts():
        try:
            yield b"one "
            yield str(pid() > 0).encode()
        finally:
            CLOSED.append("sync")

    return StreamingHttpResponse(parts())


async def stream_async(request):
    async def parts():
        try:
            yield b"one "
            yield str(await sync_to_async(pid)() > 0).encode()
        finally:
            CLOSED.append("async")

    return StreamingHttpResponse(parts())


class Countdown:
    """An iterator that is no generator: there is nothing to close."""

    left = 2

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return str(self.left).encode()


async def stream_iterator(request):
    return StreamingHttpResponse(Countdown())


def stream_that_breaks(request):
    def parts():
        try:
            yield b"one "
            raise LookupError("broken in the middle")
        finally:
            CLOSED.append("sync")

    return StreamingHttpResponse(parts())


def endless_stream(request):
    def parts():
        try:
            while True:
                yield bytes(100_000)
        finally:
            CLOSED.append("sync")

    return StreamingHttpResponse(parts())


async def endless_stream_async(request):
    async def parts():
        try:
            while True:
                yield bytes(100_000)
        finally:
            CLOSED.append("async")

    return StreamingHttpResponse(parts())


def sleep_in_the_database(request):
    return answer(query("SELECT 1 FROM pg_sleep(30)"))


def sleep_in_a_transaction(request):
    with transaction.atomic():
        write()
        return answer(query("SELECT 1 FROM pg_sleep(30)"))


def sleep_between_statements(request):
    with transaction.atomic():
        write()
        time.sleep(30)
    return answer("too late")


def swallow_errors(request):
    for _ in range(300):
        with contextlib.suppress(Exception):
            time.sleep(0.1)
    return answer("too late")


def compute(request):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        sum(range(1000))
    return answer("too late")


async def sleep_async(request):
    await asyncio.sleep(30)
    return answer("too late")


async def sleep_in_the_database_async(request):
    return answer(await sync_to_async(query)("SELECT 1 FROM pg_sleep(30)"))


async def block_the_loop(request):
    time.sleep(3)  # noqa: ASYNC251 - what a view should not do
    return answer("too late")


def large(request):
    return HttpResponse("a" * 7_000_000, content_type="text/plain")


def large_binary(request):
    return HttpResponse(b"\xff" * 5_000_000, content_type="application/octet-stream")


def fail(request):
    raise LookupError("the secret of the house")


async def fail_async(request):
    raise LookupError("the secret of the house")


def leave(request):
    raise SystemExit(3)


def unread_body(request):
    return answer(len(request.body))
