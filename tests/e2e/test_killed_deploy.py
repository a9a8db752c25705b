"""A deploy that is killed midway is finished by the next start of the laptop's cloud, without `make reset`."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import Laptop, Phone, eventually, make_laptop

DATABASE, LAMBDA, QUEUE = "AWS::RDS::DBProxy", "AWS::Lambda::Function", "AWS::SQS::Queue"

pytestmark = pytest.mark.nightly


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Laptop]:
    laptop = make_laptop(tmp_path)
    yield laptop
    laptop.stop()


def deploys(laptop: Laptop, kind: str) -> Callable[[], bool]:
    """Return a function that tells whether CloudFormation has begun with a resource of `kind`."""
    log = laptop.state / "cdk" / "deploy.log"
    return lambda: (
        log.exists() and any("_IN_PROGRESS" in line and kind in line for line in log.read_text().splitlines())
    )


@pytest.mark.parametrize(("kind", "number"), [(LAMBDA, signal.SIGKILL), (DATABASE, signal.SIGTERM)])
def test_a_first_deploy_that_is_killed_is_finished_by_the_next_start(
    fresh: Laptop, kind: str, number: signal.Signals
) -> None:
    with fresh.log.open("ab") as log:
        fresh.process = subprocess.Popen(fresh.command("run", "--port", "0"), cwd=fresh.project, stdout=log, stderr=log)
    eventually(deploys(fresh, kind), within=timedelta(minutes=4))
    fresh.stop(number)
    eventually(lambda: not fresh.processes(), within=timedelta(seconds=20))
    assert not RunningCloud.is_there(fresh.state)

    fresh.start()

    assert_it_serves(fresh)


def test_an_update_that_is_killed_is_finished_by_the_next_start(fresh: Laptop) -> None:
    fresh.start()
    topology = fresh.project / "lambda_app" / "topology.py"
    text = topology.read_text()
    topology.write_text(text.replace("queues=(", 'queues=(\n        Queue(name="letters"),', 1))
    (fresh.state / "cdk" / "deploy.log").unlink()
    deploying = subprocess.Popen(
        fresh.command("deploy", "--stage", "local"), cwd=fresh.project, stderr=subprocess.DEVNULL
    )
    eventually(deploys(fresh, QUEUE), within=timedelta(minutes=4))
    fresh.stop(signal.SIGKILL)
    deploying.wait(30)

    fresh.start()

    assert "letters" in RunningCloud.find(fresh.state).variables["SERVERLESS_TASK_QUEUE_URLS"]
    assert_it_serves(fresh)


def assert_it_serves(laptop: Laptop) -> None:
    cloud = RunningCloud.find(laptop.state)
    phone = Phone(cloud.url, cloud.issue_token("ada"))
    assert phone.request("GET", "/v1/feed").status == 200
    assert laptop.run("invoke", "events/sqs/like.json").returncode == 0
