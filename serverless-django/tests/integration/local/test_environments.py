"""Execution environments: real processes under AWS's runtime client, started, reused, frozen, killed."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from serverless_django.local.environments import Environments, InvokeResult, ThrottledError
from serverless_django.local.execution_environment import make_runtime_folder
from serverless_django.local.functions import FunctionVersion

HANDLER = dedent(
    """
    import os, time

    def handler(event, context):
        if "sleep" in event:
            time.sleep(event["sleep"])
        if "exit" in event:
            os._exit(event["exit"])
        if "raise" in event:
            raise ValueError(event["raise"])
        if "bytes" in event:
            return "x" * event["bytes"]
        if "import" in event:
            __import__(event["import"])
        return {"pid": os.getpid(), "variables": dict(os.environ), "left_ms": context.get_remaining_time_in_millis()}
    """
)


def function(**changes: Any) -> FunctionVersion:
    values = {
        "name": "fn", "version": "7", "arn": "arn:aws:lambda:us-east-1:000000000000:function:fn:live",
        "role_arn": "arn:aws:iam::000000000000:role/fn", "handler": "sqs.handler", "timeout_seconds": 1.0,
        "memory_mb": 128, "code_sha256": "code", "variables": {"STAGE": "test"},
    }  # fmt: skip
    return FunctionVersion(**values | changes)


async def credentials(_: FunctionVersion) -> Mapping[str, str]:
    return {"AWS_ACCESS_KEY_ID": "role-key"}


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sqs.py").write_text(HANDLER)
    return Environments(
        runtime=make_runtime_folder(tmp_path / "runtime"),
        logs=tmp_path / "logs",
        code_root=lambda version: tmp_path / version.code_sha256,
        credentials=credentials,
        variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        max_environments=4,
    )


def run(environments: Environments, *events: Any, version: FunctionVersion | None = None) -> list[InvokeResult]:
    """Invoke one after the other, then stop every environment."""

    async def invoke_all() -> list[InvokeResult]:
        try:
            return [await environments.invoke(version or function(), json.dumps(event).encode()) for event in events]
        finally:
            await environments.stop()

    return asyncio.run(invoke_all())


def test_an_environment_starts_cold_and_is_reused(environments):
    first, second = run(environments, {}, {})

    assert (first.cold, second.cold) == (True, False)
    assert first.pid == second.pid == json.loads(second.payload)["pid"]
    assert environments.counts == {"sqs invocations": 2, "sqs cold starts": 1, "sqs errors": 0}


def test_it_has_the_variables_of_lambda_and_of_the_template_and_none_of_ours(environments, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "1")

    [result] = run(environments, {})

    variables = json.loads(result.payload)["variables"]
    assert "SECRET_OF_THE_DEVELOPER" not in variables
    assert variables["STAGE"] == "test"
    assert variables["AWS_ACCESS_KEY_ID"] == "role-key"
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "7"


def test_a_package_that_the_bundle_lacks_is_missing(environments):
    [result] = run(environments, {"import": "django"})

    assert json.loads(result.payload)["errorType"] == "ModuleNotFoundError"


def test_an_exception_is_the_callers_and_the_environment_stays(environments):
    failed, after = run(environments, {"raise": "no"}, {})

    error = json.loads(failed.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no")
    assert error["stackTrace"]
    assert not after.cold


@pytest.mark.parametrize(
    ("event", "error_type"),
    [
        ({"sleep": 5}, "Sandbox.Timedout"),
        ({"exit": 3}, "Runtime.ExitError"),
        ({"bytes": 6_291_556}, "Function.ResponseSizeTooLarge"),
    ],
)
def test_what_ends_an_invocation_has_lambdas_name(environments, event, error_type):
    failed, after = run(environments, event, {})

    assert json.loads(failed.payload)["errorType"] == error_type
    assert after.error is None


def test_a_handler_that_cannot_be_imported_fails_each_invocation(environments):
    results = run(environments, {}, {}, version=function(handler="missing.handler"))

    assert [json.loads(result.payload)["errorType"] for result in results] == ["Runtime.ImportModuleError"] * 2


def test_events_at_once_get_an_environment_each(environments):
    async def invoke_at_once() -> list[InvokeResult]:
        try:
            slow = function(timeout_seconds=30.0)
            return await asyncio.gather(*(environments.invoke(slow, b'{"sleep": 3}') for _ in range(3)))
        finally:
            await environments.stop()

    results = asyncio.run(invoke_at_once())

    assert len({result.pid for result in results}) == 3


def test_an_idle_environment_is_frozen(environments):
    async def state_after_invoke() -> str:
        try:
            result = await environments.invoke(function(), b"{}")
            await asyncio.sleep(0.1)
            return Path(f"/proc/{result.pid}/stat").read_text().split()[2]
        finally:
            await environments.stop()

    assert asyncio.run(state_after_invoke()) == "T"


def test_a_killed_environment_fails_its_event_and_no_later_one(environments):
    async def kill_in_the_middle() -> tuple[InvokeResult, InvokeResult]:
        try:
            running = asyncio.ensure_future(environments.invoke(function(), b'{"sleep": 0.8}'))
            while not environments.environments() or not environments.environments()[0].invocations:
                await asyncio.sleep(0.02)
            os.kill(environments.environments()[0].pid, signal.SIGKILL)
            return await running, await environments.invoke(function(), b"{}")
        finally:
            await environments.stop()

    killed, after = asyncio.run(kill_in_the_middle())

    assert json.loads(killed.payload)["errorType"] == "Runtime.ExitError"
    assert after.cold
    assert after.error is None


def test_replaced_code_runs_in_a_fresh_environment(environments, tmp_path):
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited" / "sqs.py").write_text("def handler(event, context):\n    return 'edited'\n")
    root = [tmp_path / "code"]
    environments.code_root = lambda _: root[0]

    async def edit() -> tuple[InvokeResult, InvokeResult, int]:
        try:
            before = await environments.invoke(function(), b"{}")
            root[0] = tmp_path / "edited"
            after = await environments.invoke(function(), b"{}")
            await asyncio.sleep(0.05)
            await environments.retire_idle()
            return before, after, len(environments.environments())
        finally:
            await environments.stop()

    before, after, living = asyncio.run(edit())

    assert before.pid != after.pid
    assert json.loads(after.payload) == "edited"
    assert living == 1


def test_more_than_the_machine_bears_is_throttled(environments):
    async def invoke_too_many() -> list[InvokeResult | BaseException]:
        try:
            busy = [
                asyncio.ensure_future(environments.invoke(function(arn=f"arn:{n}"), b'{"sleep": 0.7}'))
                for n in range(4)
            ]
            while len(environments.environments()) < 4:
                await asyncio.sleep(0.02)
            return await asyncio.gather(
                environments.invoke(function(arn="arn:another"), b"{}"), *busy, return_exceptions=True
            )
        finally:
            await environments.stop()

    refused, *served = asyncio.run(invoke_too_many())

    assert isinstance(refused, ThrottledError)
    assert all(isinstance(result, InvokeResult) and result.error is None for result in served)


def test_nothing_is_left_after_a_stop(environments):
    [result] = run(environments, {})

    assert not Path(f"/proc/{result.pid}").exists()
