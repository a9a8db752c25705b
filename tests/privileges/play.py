"""The demo and the scenario, and what the functions called during them."""

from collections.abc import Callable
from typing import Any

from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import Laptop, empty_queues
from tests.privileges.policies import Call
from tests.privileges.recording import noted_calls
from tests.privileges.scenario import Scenario


def play(laptop: Laptop, aws: Callable[[str], Any]) -> tuple[set[Call], set[Call]]:
    """Run both on `laptop`, which runs; return the calls that were allowed and refused."""
    empty_queues(aws("sqs"))
    demo = laptop.demo()
    assert demo.returncode == 0, demo.stdout + demo.stderr
    Scenario(laptop, RunningCloud.find(laptop.state), aws).play()
    return noted_calls(laptop.state / "aws" / "calls.jsonl", aws("cloudformation"))
