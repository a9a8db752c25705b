"""One execution environment: AWS's own runtime client in a process that is frozen between invocations."""

import asyncio
import contextlib
import importlib.metadata
import itertools
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from serverless_django.local import processes
from serverless_django.local.functions import FunctionVersion
from serverless_django.local.runtime_api import Invocation, Reply, RuntimeApi

MAX_RESPONSE_BYTES = 6_291_556
"""Lambda's limit for a synchronous reply."""

INIT_TIMEOUT_SECONDS = 30
"""AWS allows 10 s; two busy cores get three times as long."""

INTERPRETER = Path(sys.executable).resolve()
"""Python without this project's packages: the bundle must bring all that runs."""

RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot-restore-py")


class FunctionError(Exception):
    """The function failed; `payload` is the error object that Lambda gives to the caller."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__(f"{payload.get('errorType')}: {payload.get('errorMessage')}")
        self.payload = payload


def make_runtime_folder(folder: Path) -> Path:
    """Link the runtime client alone into `folder`, so that a package that the bundle lacks is missing here too."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in RUNTIME_PACKAGES:
        distribution = importlib.metadata.distribution(package)
        for name in {file.parts[0] for file in distribution.files or []} - {".."}:
            with contextlib.suppress(FileExistsError):
                (folder / name).symlink_to(str(distribution.locate_file(name)))
    return folder


type State = Literal["init", "run", "frozen", "gone"]

_numbers = itertools.count(1)


@dataclass(eq=False)
class ExecutionEnvironment:
    """Start it, invoke it as often as it lives, stop it."""

    function: FunctionVersion
    code: Path
    runtime: Path
    """Made by `make_runtime_folder`."""

    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """The role's credentials, and what this machine adds to the variables of the template."""

    region: str = "us-east-1"
    on_change: "Callable[[ExecutionEnvironment], None]" = lambda _: None
    """Told of each new `state`."""

    number: int = field(default_factory=lambda: next(_numbers), init=False)
    """Tells it from every other, as its pid does not: those come again."""

    state: State = field(default="init", init=False)
    is_held: bool = field(default=False, init=False)
    """Frozen by a user, in the midst of its work or not."""

    api: RuntimeApi = field(default_factory=RuntimeApi, init=False)
    born: float = field(default_factory=time.monotonic, init=False)
    init_ms: float = field(default=0, init=False)
    invocations: int = field(default=0, init=False)
    idle_since: float = field(default=0, init=False)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _exit: "asyncio.Task[int] | None" = field(default=None, init=False)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Run the init phase.  Raise FunctionError if the handler's module cannot be imported, or takes too long."""
        started = time.monotonic()
        self._enter("init")
        address = await self.api.start()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                INTERPRETER, "-S", "-m", "awslambdaric", self.function.handler,
                cwd=self.code, env=self._variables(address), stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=processes.die_with_parent(),
            )  # fmt: skip
        self._exit = asyncio.create_task(self._process.wait())
        self._exit.add_done_callback(lambda _: self._enter("gone"))
        if not await self._is_idle(within_seconds=INIT_TIMEOUT_SECONDS):
            error = self.api.init_error or _error("Runtime.ExitError", f"init failed: {self._last_words()}")
            await self.stop()
            raise FunctionError(error)
        self.init_ms = (time.monotonic() - started) * 1000
        self._freeze()
        self._enter("frozen")

    async def invoke(self, payload: bytes, *, trace_id: str = "") -> bytes:
        """Return the handler's reply to `payload` as JSON; `trace_id` is the X-Ray header.

        Raise FunctionError if the function failed, ended or ran out of time.
        """
        timeout = self.function.timeout_seconds
        invocation = Invocation(
            request_id=str(uuid.uuid4()),
            payload=payload,
            deadline_ms=int((time.time() + timeout) * 1000),
            function_arn=self.function.arn,
            trace_id=trace_id,
        )
        self.invocations += 1
        self._enter("run")
        self._thaw()
        reply = self.api.deliver(invocation)
        assert self._exit is not None
        ending: set[asyncio.Future[Any]] = {reply, self._exit}
        await asyncio.wait(ending, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if reply.done():
            return _read_reply(reply.result())
        subject = f"RequestId: {invocation.request_id} Error:"
        if self._exit.done():
            error = _error("Runtime.ExitError", f"{subject} Runtime exited with error: {self._last_words()}")
        else:
            error = _error("Sandbox.Timedout", f"{subject} Task timed out after {timeout:.2f} seconds")
        await self.stop()
        raise FunctionError(error)

    async def settle(self) -> bool:
        """Wait until the runtime asks for the next event, then freeze.  Return whether it can be used again."""
        if self.is_alive and await self._is_idle(within_seconds=self.function.timeout_seconds):
            self.idle_since = time.monotonic()
            self._freeze()
            self._enter("frozen")
            return True
        await self.stop()
        return False

    async def stop(self) -> None:
        """Kill the process group, frozen or not."""
        if self._process is not None and self._process.returncode is None:
            processes.kill_group(self._process.pid)
            await self._process.wait()
        self.api.stop()
        self._enter("gone")

    def hold(self) -> None:
        """Freeze it where it is, until `release`.  The time of its invocation, if there is one, goes on."""
        self.is_held = True
        self._freeze()
        self.on_change(self)

    def release(self) -> None:
        self.is_held = False
        if self.state == "run":
            self._thaw()
        self.on_change(self)

    def _enter(self, state: State) -> None:
        if state != self.state or state == "init":
            self.state = state
            self.on_change(self)

    async def _is_idle(self, *, within_seconds: float) -> bool:
        assert self._exit is not None
        idle = asyncio.ensure_future(self.api.idle.wait())
        await asyncio.wait({idle, self._exit}, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        return self.api.idle.is_set() and self.is_alive

    def _freeze(self) -> None:
        if self.is_alive:
            os.killpg(self.pid, signal.SIGSTOP)

    def _thaw(self) -> None:
        if self.is_alive and not self.is_held:
            os.killpg(self.pid, signal.SIGCONT)

    def _variables(self, runtime_api: str) -> dict[str, str]:
        lambda_ = _variables(
            self.function, code=self.code, runtime=self.runtime, runtime_api=runtime_api, region=self.region
        )
        return lambda_ | dict(self.variables)

    def _last_words(self) -> str:
        status = self._process.returncode if self._process else None
        return f"exit status {status}; {self.log} ends with: {self.log.read_text(errors='replace')[-1000:]}"


def _error(error_type: str, message: str) -> dict[str, Any]:
    return {"errorType": error_type, "errorMessage": message}


def _read_reply(reply: Reply) -> bytes:
    if reply.is_error:
        raise FunctionError(json.loads(reply.payload))
    if len(reply.payload) > MAX_RESPONSE_BYTES:
        raise FunctionError(
            _error(
                "Function.ResponseSizeTooLarge",
                f"Response payload size ({len(reply.payload)} bytes) exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes).",
            )
        )
    return reply.payload


def _variables(
    function: FunctionVersion, *, code: Path, runtime: Path, runtime_api: str, region: str
) -> dict[str, str]:
    """Return the variables that Lambda sets, then those of the template; nothing of this machine's own."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": f"{code}:{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(code),
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_LOG_LEVEL": function.log_level,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime(f"%Y/%m/%d/[{function.version}]") + uuid.uuid4().hex,
        **function.variables,
    }
