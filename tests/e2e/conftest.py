"""The laptop cloud, started once from a copy of the project, so that a test may edit, kill and deploy."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.running import RunningCloud
from tests.demo.photographs import photograph
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
SHARED = (".venv", ".tools", ".build")
COPIED = ("cdk", "events", "lambda_app", "tests/demo", "cdk.json", "pyproject.toml", "uv.lock", ".python-version",
          "README.md", "serverless-django/pyproject.toml", "serverless-django/README.md")  # fmt: skip
START = timedelta(minutes=4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [at for at, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    # One system serves them all, and its minutes are dear: they meet it in one order, whatever the seed.
    for at, item in zip(ours, sorted((items[at] for at in ours), key=lambda item: item.reportinfo()[:2]), strict=True):
        items[at] = item
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(START.total_seconds() + 240))


def empty_queues(sqs: Any) -> None:
    for url in sqs.list_queues()["QueueUrls"]:
        sqs.purge_queue(QueueUrl=url)


@dataclass
class Laptop:
    """A copy of the project with its own state."""

    project: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def state(self) -> Path:
        return self.project / ".local" / "state"

    @property
    def log(self) -> Path:
        return self.project / "run.log"

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("serverless-django")), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `serverless-django` to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.project, capture_output=True, text=True, timeout=300, check=False
        )

    def demo(self) -> subprocess.CompletedProcess[str]:
        """Act as a phone against the running system, as `make demo` does."""
        command = [sys.executable, "-m", "tests.demo.demo"]
        return subprocess.run(command, cwd=self.project, capture_output=True, text=True, timeout=300, check=False)

    def start(self, *flags: str) -> float:
        """Start as `make run` does and return the seconds until it serves."""
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run", "--port", "0", *flags),
                cwd=self.project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self._serves, within=START)
        return time.monotonic() - started

    def _serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return RunningCloud.is_there(self.state) and RunningCloud.find(self.state).pid == self.process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def processes(self) -> list[str]:
        """Return the command line of each process that belongs to this laptop."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended, or is not ours to read
                text = (folder / "cmdline").read_bytes() + b" " + (folder / "environ").read_bytes()
                if str(self.state).encode() in text:
                    found.append(text.replace(b"\0", b" ").decode(errors="replace"))
        return found


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    laptop = make_laptop(tmp_path_factory.mktemp("laptop"))
    yield laptop
    laptop.stop()


def make_laptop(project: Path) -> Laptop:
    """Copy the project to the empty folder `project`, but what is large and never edited."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (project / name).parent.mkdir(exist_ok=True)
            shutil.copy2(source, project / name)
    for name in SHARED:
        (PROJECT / name).mkdir(exist_ok=True)
        (project / name).symlink_to(PROJECT / name)
    return Laptop(project)


@pytest.fixture
def cloud(laptop: Laptop) -> RunningCloud:
    """The running system, started if a test before has stopped or killed it."""
    if laptop.process is None or laptop.process.poll() is not None:
        laptop.start()
    return RunningCloud.find(laptop.state)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Phone:
    """HTTP as one member, or without a token."""

    url: str
    token: str | None = None

    def request(self, method: str, path: str, body: object = None) -> Answer:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=35) as reply:
                return Answer(reply.status, dict(reply.headers.items()), reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers.items()), error.read())


@pytest.fixture
def phone(laptop: Laptop, cloud: RunningCloud) -> Callable[[str], Phone]:
    """Return a phone for the member with a handle."""
    return lambda handle: Phone(cloud.url, cloud.issue_token(handle))


@pytest.fixture
def aws(cloud: RunningCloud) -> Callable[[str], Any]:
    """Return a boto3 client of the emulated AWS."""
    return EmulatedAws(cloud.endpoint, cloud.credentials).client


@pytest.fixture
def ready_photo() -> Callable[[Phone], str]:
    """Return a function that uploads a small photo as a member and gives its id once it is rendered."""

    def upload_and_wait(phone: Phone) -> str:
        file = photograph("PNG", width=64, height=48, seed=1)
        upload = phone.request("POST", "/v1/photos", {"content_type": "image/png", "size": len(file)}).json
        request = urllib.request.Request(upload["url"], data=file, method="PUT", headers=upload["headers"])
        urllib.request.urlopen(request, timeout=10).close()
        photo = upload["photo"]["id"]
        eventually(
            lambda: phone.request("GET", f"/v1/photos/{photo}").json["state"] == "ready", within=timedelta(seconds=30)
        )
        return str(photo)

    return upload_and_wait
