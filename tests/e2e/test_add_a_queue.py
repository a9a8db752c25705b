"""Follows docs/how-to/add-a-queue.md step by step."""

import re
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import PROJECT, Laptop, eventually

pytestmark = pytest.mark.nightly

PAGE = PROJECT / "docs" / "how-to" / "add-a-queue.md"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of the page, in order."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [dedent(block) for block in found]


def insert_before(path: Path, mark: str, text: str) -> None:
    content = path.read_text()
    assert content.count(mark) >= 1, f"{path.name} has no {mark!r}"
    path.write_text(content.replace(mark, text + mark, 1))


def test_the_page_works_as_it_is_written(laptop: Laptop, cloud: RunningCloud) -> None:
    declaration, task = blocks("python")
    [call] = blocks("sh")
    topology = laptop.project / "lambda_app" / "topology.py"
    tasks = laptop.project / "lambda_app" / "apps" / "feed" / "tasks.py"
    originals = topology.read_text(), tasks.read_text()

    insert_before(topology, "    ),\n    buckets=", f"        {declaration}")
    insert_before(tasks, "from django.tasks import task", "import logging\n")
    tasks.write_text(f"{tasks.read_text()}\n\nfrom lambda_app.apps.feed.models import Post\n\n\n{task}")
    try:
        deployed = laptop.run("deploy", "--stage", "local")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        code = re.search(r'-c "(.*)"', call)
        assert code is not None
        called = laptop.run("manage", "shell", "-c", code[1])
        assert called.returncode == 0, called.stdout + called.stderr
        eventually(lambda: "posts" in logs(laptop), within=timedelta(seconds=30))
    finally:
        topology.write_text(originals[0])
        tasks.write_text(originals[1])
        laptop.run("deploy", "--stage", "local")

    assert re.search(r"there are \d+ posts", logs(laptop))


def logs(laptop: Laptop) -> str:
    return "".join(path.read_text() for path in (laptop.state / "logs" / "sqs").glob("*.log"))
