"""What `make run` and `make tail` show: one quiet line per invocation, coloured on a terminal, JSON where asked."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serverless_django.local.api_gateway_emulator import Exchange
from serverless_django.local.cloud import Cloud
from serverless_django.local.console.burst import sample_requests
from serverless_django.local.console.lines import LogTail, find, one_line
from serverless_django.local.environments import InvokeResult
from serverless_django.local.processes import ProcessError

KEYS = "Press d and Enter to deploy a changed topology.py or cdk/, q and Enter or Ctrl-C to stop."


def announce(cloud: Cloud) -> None:
    """Print the addresses, and a request that works as it stands."""
    print(f"\n  API   {cloud.url}\n  see   {cloud.console}\n  try   {_request(cloud)}\n")
    print("An edited file takes effect at the next request.")
    print(KEYS if sys.stdin.isatty() else "Ctrl-C or SIGTERM stops.", flush=True)


def _request(cloud: Cloud) -> str:
    """Return a curl line for the first GET among the sample events, else for the root."""
    gets = (request.path for request in sample_requests(cloud.project.root).values() if request.method == "GET")
    line = f"curl -s {cloud.url}{next(gets, '/')}"
    return f'{line} -H "Authorization: Bearer {cloud.issue_token("ada")}"' if cloud.authorizer() else line


COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}
FOLLOW_SECONDS = 0.2
FIRST_CLIENT_ERROR, FIRST_SERVER_ERROR = 400, 500

type Paint = Callable[[str, str], str]


def paint(text: str, colour: str) -> str:
    """Return `text` in `colour`, as a terminal writes it."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def plain(text: str, colour: str) -> str:
    """Return `text` without any `colour`."""
    return text


def paint_of(stream: Any) -> Paint:
    """Return a function that colours text for `stream`, if it is a terminal without NO_COLOR (https://no-color.org)."""
    return paint if stream.isatty() and not os.environ.get("NO_COLOR") else plain


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints what happens: HTTP as the client saw it, and every invocation of the background."""

    as_json: bool = False
    paint: Paint = plain

    def exchange(self, exchange: Exchange) -> None:
        if self.as_json:
            return _print_json("http", exchange.fields())
        status = exchange.reply.status
        colour = "red" if status >= FIRST_SERVER_ERROR else "yellow" if status >= FIRST_CLIENT_ERROR else "green"
        line = str(exchange).replace(f" {status} ", f" {self.paint(str(status), colour)} ", 1)
        return print(self._cold(line), flush=True)

    def invocation(self, result: InvokeResult) -> None:
        """Leave out what has a line as an exchange already."""
        if result.function.source == "api_gateway" and result.error is None:
            return None
        if self.as_json:
            return _print_json("invocation", _fields(result))
        note = f"cold, init {result.init_ms:.0f} ms" if result.cold else "warm"
        status = self.paint(_status(result), "red" if result.error else "green")
        what = f"{result.function.source:<6} {result.function.name[:50]:<50} {status}"
        return print(self._cold(f"{what}  {result.duration_ms:7.1f} ms  {note}"), flush=True)

    def _cold(self, line: str) -> str:
        head, found, rest = line.rpartition("cold")
        return f"{head}{self.paint(found + rest, 'cyan')}" if found else line


def tail(logs: Path, wanted: str = "", *, as_json: bool = False) -> None:
    """Follow the files in `logs`; with an id `wanted` print its lines, from the request to the worker, and end.

    Print lines unchanged if `as_json`, else for people.  Raise ProcessError if no line has the id.
    """
    show: Callable[[Mapping[str, Any]], str] = json.dumps if as_json else _shown
    if wanted:
        if not (lines := find(logs, wanted)):
            raise ProcessError(f"no line bears the id {wanted!r}; it is the X-Request-Id of a response")
        return print("\n".join(map(show, lines)))
    followed = LogTail(logs)
    while True:
        for line in followed.read():
            print(show(line), flush=True)
        time.sleep(FOLLOW_SECONDS)


def _shown(line: Mapping[str, Any]) -> str:
    return one_line(line, paint=paint_of(sys.stdout))


def _fields(result: InvokeResult) -> dict[str, Any]:
    return {
        "source": result.function.source,
        "function": result.function.name,
        "status": _status(result).strip(),
        "duration_ms": round(result.duration_ms, 1),
        "cold": result.cold,
        "init_ms": round(result.init_ms),
    }


def _print_json(kind: str, fields: Mapping[str, Any]) -> None:
    print(json.dumps({"kind": kind, **fields}), flush=True)


def _status(result: InvokeResult) -> str:
    if result.error is not None:
        return f"failed: {result.error}"
    reply = json.loads(result.payload)
    failed = len(reply["batchItemFailures"]) if isinstance(reply, Mapping) and "batchItemFailures" in reply else 0
    return f"{failed} left" if failed else " ok"


async def obey_keys(cloud: Cloud) -> None:
    """Deploy at "d"; return at "q" or when standard input ends.  Without a terminal wait forever."""
    if not sys.stdin.isatty():
        await asyncio.Event().wait()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        match line.strip().lower():
            case b"q":
                return
            case b"d":
                with contextlib.suppress(asyncio.CancelledError):
                    await _deploy(cloud)
            case _:
                print(KEYS, flush=True)


async def _deploy(cloud: Cloud) -> None:
    try:
        await cloud.deploy()
    except ProcessError as error:
        print(error, flush=True)
