"""`make invoke EVENT=events/sqs/like.json`: a sample event through the handler that its folder names."""

import contextlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from serverless_django.deploy.project import Project
from serverless_django.local.emulator import REGION
from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL
from serverless_django.local.processes import ProcessError
from serverless_django.local.running import STATE, RunningCloud

TIMEOUT_SECONDS = 60.0
ALIAS = "live"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to."""

    reply: Any
    is_error: bool

    @property
    def succeeded(self) -> bool:
        """Neither an error, nor a batch of which something is left, nor an HTTP status from 500."""
        reply = self.reply if isinstance(self.reply, Mapping) else {}
        return not self.is_error and not reply.get("batchItemFailures") and reply.get("statusCode", 200) < 500


def invoke_sample(project: Project, path: Path) -> int:
    """Print the reply as JSON; return 0 if the handler did all that the event asks, else 1.

    Runs the deployed function if the system is running, else the handler in its own process
    and an empty database, with the settings that the project has for this machine.

    Raise ProcessError if there is no such event or no function for it.
    """
    module = module_of(project, path)
    event, state = read_event(module, path), project.root / STATE
    if RunningCloud.is_there(state):
        outcome = _invoke_deployed(RunningCloud.find(state), module, event)
    else:
        print("the system is not running: the handler runs by itself, with an empty database", file=sys.stderr)
        outcome = _invoke_alone(project, module, path)
    print(json.dumps(outcome.reply, indent=2, ensure_ascii=False))
    return 0 if outcome.succeeded else 1


def module_of(project: Project, path: Path) -> str:
    """Return the module of the handler for an event: its folder has the same name."""
    return f"{project.handlers}.{path.resolve().parent.name}"


def read_event(module: str, path: Path) -> Any:
    """Return the event in the file `path`, whose folder should have the name of the handler `module`.

    Raise ProcessError if it is not JSON below a folder that has the name of a handler.
    """
    if importlib.util.find_spec(module) is None:
        raise ProcessError(f"{path} lies in no folder of a handler; events lie in events/HANDLER/NAME.json")
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ProcessError(f"there is no {path}; the sample events are in events/") from error
    except ValueError as error:
        raise ProcessError(f"{path} is not JSON: {error}") from error


def _invoke_deployed(cloud: RunningCloud, module: str, event: Any) -> Outcome:
    from serverless_django.local.emulated_aws import EmulatedAws

    client = EmulatedAws(cloud.endpoint, cloud.credentials).client("lambda")
    functions = [item for page in client.get_paginator("list_functions").paginate() for item in page["Functions"]]
    # Django refuses a host that is not the API's: the sample is of some other deployment.
    event = addressed_to(f"{cloud.outputs['ApiId']}.execute-api.{REGION}.amazonaws.com", event)
    answer = client.invoke(
        FunctionName=function_name(functions, module), Qualifier=ALIAS, Payload=json.dumps(event).encode()
    )
    return Outcome(json.loads(answer["Payload"].read()), is_error="FunctionError" in answer)


def addressed_to(host: str, event: Any) -> Any:
    """Return an HTTP event as it would be if the client had called `host`; any other event as it is."""
    if not isinstance(event, dict) or "requestContext" not in event:
        return event
    context = event["requestContext"] | {"domainName": host, "domainPrefix": host.partition(".")[0]}
    return event | {"headers": event["headers"] | {"host": host}, "requestContext": context}


def function_name(functions: list[Any], module: str) -> str:
    """Return the first of `functions` that runs the handler in `module`.  Raise ProcessError if there is none."""
    names: list[str] = sorted(item["FunctionName"] for item in functions if item.get("Handler") == f"{module}.handler")
    if not names:
        raise ProcessError(f"no deployed function runs {module}.handler")
    return names[0]


def _invoke_alone(project: Project, module: str, path: Path) -> Outcome:
    with _database() as variables:
        finished = subprocess.run(
            [sys.executable, "-m", "serverless_django.local.invoke", module, str(path.resolve())],
            cwd=project.root,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": project.local_settings} | variables,
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    # The reply is the last line; before it comes what the handler logs.
    *logged, last = finished.stdout.splitlines() or [""]
    print("\n".join(logged), file=sys.stderr)
    if finished.returncode:
        return Outcome({"errorMessage": f"the handler failed, see above; exit status {finished.returncode}"}, True)
    return Outcome(json.loads(last), False)


@contextlib.contextmanager
def _database() -> Iterator[dict[str, str]]:
    """Start an empty PostgreSQL for one event, unless libpq's variables name another."""
    if "PGHOST" in os.environ:
        yield {}
        return
    # A short path, for the socket.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        sockets = Path(folder) / "s"
        with PostgreSQL(data=Path(folder) / "data", sockets=sockets, settings=FAST_AND_FORGETFUL):
            yield {"PGHOST": str(sockets), "PGPORT": str(PORT), "PGUSER": SUPERUSER, "PGDATABASE": SUPERUSER}


@dataclass
class Context:
    """What Lambda passes beside the event, as far as handlers use it."""

    function_name: str = "laptop"
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:laptop"
    memory_limit_in_mb: str = "512"
    log_group_name: str = "/aws/lambda/laptop"
    log_stream_name: str = "laptop"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def _run_handler(module: str, path: Path) -> None:
    handler = importlib.import_module(module).handler
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    reply = handler(read_event(module, path), Context())
    print(json.dumps(reply))


if __name__ == "__main__":
    _run_handler(sys.argv[1], Path(sys.argv[2]))
