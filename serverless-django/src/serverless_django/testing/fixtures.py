"""Fixtures of the plugin.  A server starts when the first test asks for it: unit tests pay for what they use."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serverless_django.conf import topology_of
from serverless_django.local.emulator import CREDENTIALS, Emulator
from serverless_django.local.postgresql import FAST_AND_FORGETFUL, PORT, SUPERUSER, PostgreSQL
from serverless_django.settings import BACKEND
from serverless_django.testing import LambdaContext
from serverless_django.testing.log_lines import Lines, captured_lines
from serverless_django.testing.requests import kept_connection
from serverless_django.testing.sqs_events import BACKEND as DUMMY_BACKEND
from serverless_django.testing.sqs_events import TaskQueue


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this session, listening on a Unix socket."""
    # Not pytest's own folder: the path of a Unix socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with PostgreSQL(data=folder / "data", sockets=folder / "s", settings=FAST_AND_FORGETFUL) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Let tests use the server of this session where the settings name no host."""
    from django.db import connections

    database = connections.settings["default"]
    if database["ENGINE"] == BACKEND and not database["HOST"]:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        database |= {"HOST": str(server.sockets), "PORT": str(PORT), "USER": SUPERUSER}


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """An emulator of SQS and S3 over HTTP, on a free port."""
    folder = Path(tempfile.mkdtemp(prefix="aws-"))
    with Emulator(state=folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def no_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this user's profiles and keys, so that no test reaches an account by accident."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def event(pytestconfig: pytest.Config) -> Callable[[str], Any]:
    """Return a reader of the project's sample events: `event("sqs/like")` is events/sqs/like.json."""
    return lambda name: json.loads((pytestconfig.rootpath / "events" / f"{name}.json").read_text())


@pytest.fixture
def lambda_context() -> LambdaContext:
    """What Lambda passes to a handler beside the event."""
    return LambdaContext()


@pytest.fixture
def task_queue(settings: Any) -> TaskQueue:
    """Keep the tasks that this test enqueues, on the queues of the topology, until it runs them."""
    names = [queue.name for queue in topology_of(getattr(settings, "SERVERLESS", {})).task_queues]
    settings.TASKS = {"default": {"BACKEND": DUMMY_BACKEND, "QUEUES": names}}
    return TaskQueue()


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Let requests to a handler run in the transaction of the test, which is rolled back at its end."""
    with kept_connection():
        yield


@pytest.fixture
def log_lines() -> Iterator[Lines]:
    """Return a reader of what was logged since the test began, as CloudWatch would get it: `log_lines()`."""
    with captured_lines() as lines:
        yield lines
