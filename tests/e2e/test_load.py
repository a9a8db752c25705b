"""A short load over HTTP: every request is answered, and the figures and the picture are written."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import Laptop, empty_queues

pytestmark = pytest.mark.nightly


def test_a_rising_load_is_answered_without_an_error(
    laptop: Laptop, cloud: RunningCloud, aws: Callable[[str], Any]
) -> None:
    empty_queues(aws("sqs"))
    command = [sys.executable, "-m", "tests.demo.load", "--rate", "8", "--ramp", "2", "--hold", "3", "--phones", "4"]

    load = subprocess.run(command, cwd=laptop.project, capture_output=True, text=True, timeout=280, check=False)

    # Not its exit status: that judges times too, and this machine is busy.
    assert "drew .bench/load.svg" in load.stdout, load.stdout + load.stderr
    figures = json.loads((laptop.project / ".bench" / "load.json").read_text())["figures"]
    assert (figures["requests"], figures["errors"], figures["dead_letters"]) == (32, 0, 0), load.stdout
    assert (laptop.project / ".bench" / "load.svg").read_text().startswith("<svg")
