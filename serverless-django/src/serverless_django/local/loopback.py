"""Addresses of this machine's loopback network that are ours at every start: deployed functions are told them."""

import ipaddress
import json
import random
import socket
from pathlib import Path

from serverless_django.local.emulator import free_port
from serverless_django.local.postgresql import PORT


def loopback_hosts(record: Path) -> tuple[str, str]:
    """Return two loopback addresses whose port 5432 is free, kept in the file `record` for the next start.

    RDS Proxy listens on 5432 alone, so the address varies instead of the port.  The variables of deployed functions
    contain it.  Raise OSError if another program uses the port by now.
    """
    if not record.exists():
        record.write_text(json.dumps([_free_host(), _free_host()]))
    database_host, proxy_host = json.loads(record.read_text())
    for host in (database_host, proxy_host):
        if not _is_free(host):
            raise OSError(
                f"{host}:{PORT} is taken; is `make run` running already? Otherwise `make reset` takes another"
            )
    return database_host, proxy_host


def _free_host() -> str:
    while True:
        host = str(ipaddress.ip_address("127.0.0.0") + random.randrange(1 << 16, 1 << 24))  # noqa: S311 (no secret)
        if not host.endswith((".0", ".255")) and _is_free(host):
            return host


def _is_free(host: str) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, PORT))
        except OSError:
            return False
        return True


def kept_port(record: Path) -> int:
    """Return a free port, kept in the file `record` for the next start, because the URLs of queues contain it."""
    if not record.exists():
        record.write_text(str(free_port()))
    return int(record.read_text())
