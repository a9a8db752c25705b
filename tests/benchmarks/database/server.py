"""PostgreSQL as a deploy leaves it, behind the pooler with TLS, with a log of every statement."""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import randrange

import psycopg

from serverless_django.local.database import TOOLS
from serverless_django.local.emulator import free_port
from serverless_django.local.pgbouncer import DEFAULT_POOL_SIZE, PgBouncer, find
from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL
from serverless_django.local.tls import server_certificate
from tests.interleaved import ROOT, clean_environment

HOST = "127.0.0.1"
CREDENTIALS = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIABENCHMARK",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
}
DEPLOY = "from serverless_django.handlers.management import handler; handler({}, __import__('types').SimpleNamespace(\
function_name='', memory_limit_in_mb=0, invoked_function_arn='', aws_request_id=''))"

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE usename IN ('app', 'stock')"
STOCK_USER, STOCK_PASSWORD = "stock", "benchmark"

_STATEMENT = re.compile(r"^app\|LOG:  (?:statement|execute (?P<name>[^:]+)): (?P<text>.*(?:\n\t.*)*)", re.MULTILINE)


class AskingPgBouncer(PgBouncer):
    """Accepts our token unverified, because only AWS can verify it; asks others for a password, as RDS Proxy does."""

    def _configuration(self) -> str:
        (self.folder / "roles.txt").write_text(f'"{self.user}" ""\n"{STOCK_USER}" "{STOCK_PASSWORD}"\n')
        rules = {self.user: "trust", STOCK_USER: "scram-sha-256"}
        lines = [f"hostssl all {user} {HOST}/32 {method}\n" for user, method in rules.items()]
        (self.folder / "rules.txt").write_text("".join(lines))
        configuration = super()._configuration().replace("auth_type = trust", "auth_type = hba")
        return f"""{configuration.replace("users.txt", "roles.txt")}
auth_hba_file = {self.folder}/rules.txt
"""


@dataclass(frozen=True, slots=True)
class Server:
    postgresql: PostgreSQL
    pooler: PgBouncer

    def variables(self, variant: str, *, pooled: bool = True) -> Mapping[str, str]:
        """Return what `tests.benchmarks.database.settings` reads."""
        pooler = {"PGHOST": HOST, "PGPORT": str(self.pooler.port), "CA": str(self.pooler.certificate.authority)}
        server = {"PGHOST": self.postgresql.settings["listen_addresses"], "PGPORT": str(PORT)}
        return {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.database.settings",
            "VARIANT": variant,
            **(pooler if pooled else server),
            **CREDENTIALS,
        }

    def statements(self) -> list[tuple[str, str]]:
        """Return (name of the prepared statement, text) of every statement that a function has sent."""
        log = (self.postgresql.data / "server.log").read_text(errors="replace")
        return [(match["name"] or "", match["text"]) for match in _STATEMENT.finditer(log)]

    @contextlib.contextmanager
    def counted(self) -> Iterator[Callable[[], int]]:
        """Yield a function that counts the connections of functions.  It has its own, while there is one to have."""
        with psycopg.connect(self.postgresql.conninfo(), autocommit=True) as connection:
            yield lambda: len(connection.execute(BACKENDS).fetchall())


@contextlib.contextmanager
def running_server(
    *, log_statements: bool = False, is_durable: bool = False, pool_size: int = DEFAULT_POOL_SIZE
) -> Iterator[Server]:
    """Start both and migrate; end them and forget them afterwards.  If durable, each commit waits for the disk."""
    program = find(TOOLS / "pgbouncer")
    if program is None:
        raise FileNotFoundError("no PgBouncer: install it, or a Debian system to take it from")
    settings = {
        **({} if is_durable else FAST_AND_FORGETFUL),
        "log_statement": "all" if log_statements else "none",
        "log_line_prefix": "%u|",
        # For who goes past the pooler: its own address, because the port is the same everywhere.
        "listen_addresses": f"127.{randrange(1, 255)}.{randrange(1, 255)}.{randrange(1, 255)}",
    }
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
        server = PostgreSQL(folder / "data", folder / "s", settings, ["host all all 127.0.0.0/8 scram-sha-256"])
        stack.enter_context(server)
        server.execute("CREATE DATABASE app")
        _deploy(server)
        certificate = server_certificate(folder / "tls", [HOST])
        server.execute(f"CREATE ROLE {STOCK_USER} LOGIN PASSWORD '{STOCK_PASSWORD}'; GRANT app TO {STOCK_USER}")
        server.execute(f"ALTER ROLE {STOCK_USER} SET timezone = 'UTC'")
        pooler = AskingPgBouncer(
            program, folder / "p", HOST, free_port(), server.sockets, certificate, "app", pool_size
        )
        pooler.start()
        stack.callback(pooler.stop)
        yield Server(server, pooler)


def _deploy(server: PostgreSQL) -> None:
    where = {"PGHOST": str(server.sockets), "PGPORT": str(PORT), "PGUSER": SUPERUSER, "PGDATABASE": "app"}
    variables = clean_environment() | where | {"DJANGO_SETTINGS_MODULE": "lambda_app.settings.local"}
    subprocess.run([sys.executable, "-c", DEPLOY], env=variables, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
