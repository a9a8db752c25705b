"""The two endpoints of a database: TLS at both, a password at the instance, a pool behind the proxy."""

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from serverless_django.local import pgbouncer
from serverless_django.local.database import TOOLS, running_database
from serverless_django.local.loopback import loopback_hosts
from serverless_django.local.tls import server_certificate


@pytest.fixture
def endpoints(tmp_path: Path) -> Callable[[Callable[[Callable[..., Any], Any], Any]], Any]:
    """Return a function that runs `claim(connect, server)` while both endpoints serve."""
    instance, proxy = loopback_hosts(tmp_path / "addresses.json")
    certificate = server_certificate(tmp_path / "tls", (instance, proxy))

    def connect(endpoint: str, **changes: str) -> psycopg.Connection[Any]:
        values = {
            "host": instance if endpoint == "instance" else proxy,
            "dbname": "postgres",
            "user": "app",
            "password": "token",
            "sslmode": "verify-full",
            "sslrootcert": str(certificate.authority),
        }
        return psycopg.connect(**values | changes)  # type: ignore[arg-type]

    async def serve(claim: Callable[[Callable[..., Any], Any], Any]) -> Any:
        async with running_database(
            tmp_path, instance_host=instance, proxy_host=proxy, certificate=certificate
        ) as server:
            server.execute("CREATE ROLE app LOGIN")
            server.execute("CREATE ROLE dbadmin LOGIN PASSWORD 'right'")
            return await asyncio.to_thread(claim, connect, server)

    return lambda claim: asyncio.run(serve(claim))


def test_both_speak_tls_that_a_client_can_verify(endpoints):
    def claim(connect, server):
        with connect("instance", user="dbadmin", password="right") as first, connect("proxy") as second:
            return first.pgconn.ssl_in_use, second.pgconn.ssl_in_use

    assert endpoints(claim) == (True, True)


def test_neither_speaks_without_tls(endpoints):
    def claim(connect, server):
        for endpoint in ("instance", "proxy"):
            with pytest.raises(psycopg.OperationalError):
                connect(endpoint, sslmode="disable")

    endpoints(claim)


def test_the_master_user_needs_its_password(endpoints):
    def claim(connect, server):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect("instance", user="dbadmin", password="wrong")

    endpoints(claim)


@pytest.mark.skipif(pgbouncer.find(TOOLS / "pgbouncer") is None, reason="PgBouncer is not to be had here")
def test_only_the_application_passes_the_proxy(endpoints):
    def claim(connect, server):
        with pytest.raises(psycopg.OperationalError):
            connect("proxy", user="dbadmin", password="right")

    endpoints(claim)


@pytest.mark.skipif(pgbouncer.find(TOOLS / "pgbouncer") is None, reason="PgBouncer is not to be had here")
def test_many_clients_share_a_few_backends(endpoints):
    def claim(connect, server):
        clients = [connect("proxy", application_name="crowd") for _ in range(60)]
        for client in clients:
            with client.transaction():
                client.execute("SELECT 1")
        [(backends,)] = server.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'")
        for client in clients:
            client.close()
        return backends

    assert endpoints(claim) <= pgbouncer.DEFAULT_POOL_SIZE


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="it comes from Debian's packages")
def test_on_a_new_machine_several_processes_may_ask_for_the_pooler_at_once(tmp_path):
    with ProcessPoolExecutor(3) as processes:
        found = set(processes.map(pgbouncer.find, [tmp_path / "pgbouncer"] * 3))

    assert len(found) == 1
    assert None not in found
