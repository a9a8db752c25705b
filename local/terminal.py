"""What `make run` shows on a terminal: one line per invocation, and what to try first."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping

from local.cloud import Cloud
from local.environments import InvokeResult
from local.processes import ProcessError

ANNOUNCEMENT = """
  API   {url}
  docs  {url}/v1/docs
  try   curl -s {url}/v1/feed -H "Authorization: Bearer {token}"

A token for somebody else: make token MEMBER=grace.  An edited file takes effect at the next request.
"""
KEYS = "Press d and Enter to deploy a changed topology.py or cdk/, q and Enter or Ctrl-C to stop."


def announce(cloud: Cloud, *, member: str = "ada") -> None:
    """Print the address, the docs page and a request that works as it stands."""
    print(ANNOUNCEMENT.format(url=cloud.url, token=cloud.issue_token(member)))
    print(KEYS if sys.stdin.isatty() else "Ctrl-C or SIGTERM stops.", flush=True)


def print_invocation(result: InvokeResult) -> None:
    """Print one line per invocation of a background function: HTTP requests have lines of their own."""
    if result.function.source == "api_gateway" and result.error is None:
        return
    note = f"cold, init {result.init_ms:.0f} ms" if result.cold else "warm"
    what = f"{result.function.source:<6} {result.function.name[:50]:<50} {_status(result)}"
    print(f"{what}  {result.duration_ms:7.1f} ms  {note}", flush=True)


def _status(result: InvokeResult) -> str:
    if result.error is not None:
        return f"failed: {result.error}"
    reply = json.loads(result.payload)
    failed = len(reply["batchItemFailures"]) if isinstance(reply, Mapping) and "batchItemFailures" in reply else 0
    return f"{failed} left" if failed else " ok"


async def obey_keys(cloud: Cloud) -> None:
    """Deploy at "d"; return at "q" or when standard input ends.  Without a terminal wait for ever."""
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
