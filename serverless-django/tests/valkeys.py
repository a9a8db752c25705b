"""Real Valkeys for tests: alone, a cluster of one node as ElastiCache Serverless presents itself, and one of three."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from serverless_django.local import processes
from serverless_django.local.emulator import free_port
from serverless_django.local.valkey import SLOTS, Valkey

KINDS = {"alone": 0, "a cluster of one node": 1, "a cluster of three nodes": 3}
"""How many nodes of a cluster each has."""


@contextlib.contextmanager
def running(kind: str) -> Iterator[list[Valkey]]:
    """Start the servers of `kind`, one of KINDS."""
    count = KINDS[kind]
    with tempfile.TemporaryDirectory(prefix="vk-") as folder, contextlib.ExitStack() as stack:
        slots = [range(SLOTS * number // count, SLOTS * (number + 1) // count) for number in range(count)]
        servers = [
            stack.enter_context(Valkey(Path(folder) / str(number), port=free_port(), slots=part))
            for number, part in enumerate(slots or [None])
        ]
        for server in servers[1:]:
            servers[0].command("CLUSTER", "MEET", "127.0.0.1", str(server.port), str(server.port + 1))
        if count:
            wait_for_cluster(servers)
        yield servers


def wait_for_cluster(servers: list[Valkey]) -> None:
    for server in servers:
        assert server._process is not None
        log = server.folder / "valkey.log"
        processes.wait_until(server.serves_all_slots, process=server._process, what="the cluster", log=log)
