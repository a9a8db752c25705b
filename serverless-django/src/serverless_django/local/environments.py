"""The Lambda service of the laptop: environments start cold, are reused, frozen, retired and counted."""

import asyncio
import json
import os
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serverless_django.local.execution_environment import ExecutionEnvironment, FunctionError
from serverless_django.local.functions import FunctionVersion

IDLE_SECONDS = 300
"""Lambda keeps an idle environment for some minutes, and does not say how many."""

LIFE_SECONDS = 3000
"""An environment goes before its credentials, which are good for an hour."""

SETTLE_SECONDS = 0.005

type PoolKey = tuple[str, str, Path]


class ThrottledError(Exception):
    """Every environment that this machine can bear is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeResult:
    """One finished invocation."""

    payload: bytes
    """The reply as JSON, or the error object."""

    error: FunctionError | None
    cold: bool
    init_ms: float
    """0 if the environment was warm."""

    duration_ms: float
    function: FunctionVersion
    pid: int


@dataclass
class _Pool:
    idle: list[ExecutionEnvironment] = field(default_factory=list)
    waiting: "deque[asyncio.Future[ExecutionEnvironment]]" = field(default_factory=deque)
    starting: int = 0


@dataclass
class Environments:
    """Invokes any version of any function, one event per environment at a time."""

    runtime: Path
    logs: Path
    code_root: Callable[[FunctionVersion], Path]
    """Where the code of a version lies now; an environment made from another folder is retired."""

    credentials: Callable[[FunctionVersion], Awaitable[Mapping[str, str]]]
    """Variables with temporary credentials of the function's role."""

    variables: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    max_environments: int = 64
    on_invocation: Callable[[InvokeResult], None] = lambda _: None
    on_change: Callable[[ExecutionEnvironment], None] = lambda _: None
    """Told when an environment starts, runs, freezes and ends."""

    counts: Counter[str] = field(default_factory=Counter)
    """"<source> invocations", "<source> cold starts", "<source> errors", "<source> messages"."""

    _pools: dict[PoolKey, _Pool] = field(default_factory=dict, init=False)
    _alive: set[ExecutionEnvironment] = field(default_factory=set, init=False)
    _background: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        # More at once than cores only makes every cold start slower.
        self._starts = asyncio.Semaphore(max(2, os.cpu_count() or 2))

    async def invoke(self, function: FunctionVersion, payload: bytes, *, trace_id: str = "") -> InvokeResult:
        """Invoke `function` with `payload` and the X-Ray header `trace_id`, and return its result.

        Raise ThrottledError if `max_environments` are busy.
        """
        key = (function.arn, function.version, self.code_root(function))
        pool = self._pools.setdefault(key, _Pool())
        try:
            environment = await self._acquire(function, key, pool)
        except FunctionError as error:
            return self._finish(function, error, started=time.monotonic(), environment=None)
        started = time.monotonic()
        try:
            outcome: bytes | FunctionError = await environment.invoke(payload, trace_id=trace_id)
        except FunctionError as error:
            outcome = error
        finally:
            self._in_background(self._release(environment, key, pool))
        return self._finish(function, outcome, started=started, environment=environment)

    def environments(self) -> list[ExecutionEnvironment]:
        """Return those that live now."""
        return [environment for environment in self._alive if environment.is_alive]

    async def retire_idle(self) -> None:
        """Stop environments that were idle for IDLE_SECONDS or whose code has been replaced."""
        for (_, _, code), pool in list(self._pools.items()):
            for environment in list(pool.idle):
                replaced = code != self.code_root(environment.function)
                now = time.monotonic()
                if replaced or environment.idle_since < now - IDLE_SECONDS or environment.born < now - LIFE_SECONDS:
                    pool.idle.remove(environment)
                    await self._discard(environment)

    async def stop(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*(self._discard(environment) for environment in list(self._alive)))

    async def _acquire(self, function: FunctionVersion, key: PoolKey, pool: _Pool) -> ExecutionEnvironment:
        while (environment := _next_idle(pool)) is not None:
            if environment.is_alive:
                return environment
            await self._discard(environment)
        # As Lambda does: the first environment that is free serves the event, the one started for it or another.
        waiting: asyncio.Future[ExecutionEnvironment] = asyncio.get_running_loop().create_future()
        pool.waiting.append(waiting)
        if len(self._alive) + pool.starting < self.max_environments:
            self._in_background(self._start(function, key, pool))
        elif not any(environment.function.arn == function.arn for environment in self._alive):
            pool.waiting.remove(waiting)
            raise ThrottledError(f"{self.max_environments} environments run already, none of them for {function.name}")
        return await waiting

    async def _start(self, function: FunctionVersion, key: PoolKey, pool: _Pool) -> None:
        pool.starting += 1
        # An environment that has just replied is free within a millisecond: no need for another then.
        await asyncio.sleep(SETTLE_SECONDS)
        async with self._starts:
            pool.starting -= 1
            if not any(not waiting.done() for waiting in pool.waiting):
                return
            environment = self._make(function, key[2], await self.credentials(function))
            self._alive.add(environment)
            try:
                await environment.start()
            except FunctionError as error:
                self._alive.discard(environment)
                if waiting := _next_waiting(pool):
                    waiting.set_exception(error)
            else:
                self._hand_over(environment, pool)

    def _make(self, function: FunctionVersion, code: Path, credentials: Mapping[str, str]) -> ExecutionEnvironment:
        folder = self.logs / function.source
        folder.mkdir(parents=True, exist_ok=True)
        return ExecutionEnvironment(
            function,
            code=code,
            runtime=self.runtime,
            log=folder / f"{function.name}.log",
            variables={**self.variables, **credentials},
            region=self.region,
            on_change=self.on_change,
        )

    async def _release(self, environment: ExecutionEnvironment, key: PoolKey, pool: _Pool) -> None:
        if await environment.settle() and key[2] == self.code_root(environment.function):
            self._hand_over(environment, pool)
            return
        await self._discard(environment)
        if pool.waiting and not pool.starting:
            await self._start(environment.function, key, pool)

    def _hand_over(self, environment: ExecutionEnvironment, pool: _Pool) -> None:
        if waiting := _next_waiting(pool):
            waiting.set_result(environment)
        else:
            environment.idle_since = time.monotonic()
            pool.idle.append(environment)

    async def _discard(self, environment: ExecutionEnvironment) -> None:
        self._alive.discard(environment)
        await environment.stop()

    def _finish(
        self,
        function: FunctionVersion,
        outcome: bytes | FunctionError,
        *,
        started: float,
        environment: ExecutionEnvironment | None,
    ) -> InvokeResult:
        error = outcome if isinstance(outcome, FunctionError) else None
        cold = environment is None or environment.invocations == 1
        result = InvokeResult(
            payload=outcome if isinstance(outcome, bytes) else json.dumps(outcome.payload).encode(),
            error=error,
            cold=cold,
            init_ms=environment.init_ms if cold and environment else 0,
            duration_ms=(time.monotonic() - started) * 1000,
            function=function,
            pid=environment.pid if environment else 0,
        )
        self.counts[f"{function.source} invocations"] += 1
        self.counts[f"{function.source} cold starts"] += cold
        self.counts[f"{function.source} errors"] += error is not None
        self.on_invocation(result)
        return result

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _next_idle(pool: _Pool) -> ExecutionEnvironment | None:
    """Take out the one that served last; one that is held waits to be released."""
    for index in range(len(pool.idle) - 1, -1, -1):
        if not pool.idle[index].is_held:
            return pool.idle.pop(index)
    return None


def _next_waiting(pool: _Pool) -> "asyncio.Future[ExecutionEnvironment] | None":
    while pool.waiting:
        waiting = pool.waiting.popleft()
        if not waiting.done():
            return waiting
    return None
