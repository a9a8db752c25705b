"""Servers start when the first test asks for them: unit tests and `pytest -k` pay for what they use."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from serverless_django.local.emulator import CREDENTIALS, Emulator
from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL

# The same examples at every run, and no folder of them: a failure here is a failure everywhere.
hypothesis.settings.register_profile("suite", max_examples=50, deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("suite")

EVENTS = Path(__file__).parent.parent / "events"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    # Not pytest's own folder: the path of a Unix socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with PostgreSQL(data=folder / "data", sockets=folder / "s", settings=FAST_AND_FORGETFUL) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgresql):
    from django.db import connections

    connections.settings["default"] |= {"HOST": str(postgresql.sockets), "PORT": str(PORT), "USER": SUPERUSER}


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    folder = Path(tempfile.mkdtemp(prefix="aws-"))
    with Emulator(state=folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_aws_account(monkeypatch):
    """No test may reach an account by accident, and none finds a profile of this user's."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def event():
    """Return a reader of sample events: `event("sqs/like")`."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text())


@dataclass
class LambdaContext:
    """What Lambda passes beside the event, with the time that a test wants to be left."""

    remaining_ms: int = 30_000
    function_name: str = "function"
    function_version: str = "1"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:function:live"
    aws_request_id: str = "8f5d2a3c-1f0e-4d7b-9f43-0a6c9d1f7e21"
    log_group_name: str = "function"
    log_stream_name: str = "2026/11/23/[1]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@pytest.fixture
def lambda_context() -> LambdaContext:
    return LambdaContext()
