"""One cold start under AWS's runtime client: a new process, its init phase, its first response."""

import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.environment import Environment
from serverless_django.local.execution_environment import ExecutionEnvironment, make_runtime_folder
from serverless_django.local.functions import FunctionVersion
from serverless_django.local.postgresql import SUPERUSER
from serverless_django.local.tls import ServerCertificate
from tests.benchmarks.cold import page_cache
from tests.benchmarks.server import DATABASE
from tests.interleaved import ROOT

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIABENCHMARK", "AWS_SECRET_ACCESS_KEY": "benchmark", "AWS_SESSION_TOKEN": "none"}
RUNTIME = ROOT / ".build" / "cold" / "runtime"


class StartError(RuntimeError):
    """A function started, but did not answer as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Of one process, in milliseconds."""

    init: float
    """Until the runtime asked for an event."""

    first: float
    """From the event to its response."""

    cpu: float
    status: int

    @property
    def total(self) -> float:
        return self.init + self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Startable:
    """A handler and the folder that it is deployed from."""

    code: Path
    handler: str
    variables: Mapping[str, str]

    async def start(self, event: Mapping[str, Any], *, cold: bool) -> Start:
        """Start a process, with the content of its files forgotten if `cold`, and let it answer `event`."""
        if cold:
            page_cache.drop(self.code)
        with tempfile.NamedTemporaryFile(suffix=".log") as log:
            environment = ExecutionEnvironment(
                _function(self.handler, self.variables),
                code=self.code,
                runtime=make_runtime_folder(RUNTIME),
                log=Path(log.name),
                variables=CREDENTIALS,
            )
            await environment.start()
            try:
                start = await _first_response(environment, event)
            finally:
                await environment.stop()
            if start.status != HTTPStatus.OK:
                raise StartError(f"{self.handler} in {self.code.name} answered {start.status}: {log.read().decode()}")
            return start


def deployed_variables(*, port: int, certificate: ServerCertificate) -> Mapping[str, str]:
    """Return what the template would give to the function, for the database at `port` of this machine."""
    return Environment(
        stage="benchmark",
        allowed_hosts=("localhost",),
        database_host="127.0.0.1",
        database_port=port,
        database_name=DATABASE,
        database_user=SUPERUSER,
        database_ca_bundle=str(certificate.authority),
        task_queue_urls={queue.name: f"https://sqs.example.com/1/{queue.name}" for queue in TOPOLOGY.task_queues},
        bucket_names={bucket.name: f"benchmark-{bucket.name}" for bucket in TOPOLOGY.buckets},
    ).variables()


async def _first_response(environment: ExecutionEnvironment, event: Mapping[str, Any]) -> Start:
    started = time.monotonic()
    reply = json.loads(await environment.invoke(json.dumps(event).encode()))
    first = (time.monotonic() - started) * 1000
    return Start(init=environment.init_ms, first=first, cpu=_cpu_ms(environment.pid), status=reply["statusCode"])


def _cpu_ms(pid: int) -> float:
    # After the name, which may hold spaces: field 14 and 15 of proc(5) are user and system time in ticks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _function(handler: str, variables: Mapping[str, str]) -> FunctionVersion:
    return FunctionVersion(
        name="api",
        version="1",
        arn="arn:aws:lambda:eu-central-1:123456789012:function:api",
        role_arn="arn:aws:iam::123456789012:role/api",
        handler=handler,
        timeout_seconds=60,
        memory_mb=1769,
        code_sha256="",
        variables=variables,
    )
