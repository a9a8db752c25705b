"""What runs on GitHub: nothing that a laptop cannot, nothing unpinned, no key."""

import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml

from cdk.app import PROJECT
from tests.deployment import STAGES
from tests.security import __main__ as security

FILES = sorted((PROJECT.root / ".github" / "workflows").glob("*.yml"))
MAKEFILES = (PROJECT.root / "Makefile", *PROJECT.root.glob("tests/*/targets.mk"))
TARGETS = "".join(path.read_text() for path in MAKEFILES)
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def text(request):
    return request.param.read_text()


@pytest.fixture
def workflow(text):
    return yaml.safe_load(text)


def test_there_are_workflows():
    assert [path.stem for path in FILES] == ["check", "deploy", "nightly"]


def test_each_says_when_it_runs_and_what_it_may(workflow):
    # YAML reads the key `on` as true.
    assert set(workflow) == {"name", True, "permissions", "concurrency", "jobs"}
    assert workflow["permissions"] == {"contents": "read"}


def test_every_action_is_pinned_to_a_commit_and_says_its_version(text, workflow):
    for step in _steps(workflow):
        if "uses" in step:
            assert PINNED.fullmatch(step["uses"])
            assert re.search(rf"{step['uses']} # v\d+\.\d+\.\d+$", text, re.MULTILINE)


def test_every_job_ends_some_time_on_a_system_with_a_version(workflow):
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert "latest" not in job["runs-on"]


def test_no_step_gets_text_into_its_shell(workflow):
    assert not any("${{" in step.get("run", "") for step in _steps(workflow))


def test_what_is_run_is_there(workflow):
    targets = set(re.findall(r"^([a-z-]+):", TARGETS, re.MULTILINE))

    for step in _steps(workflow):
        if (run := step.get("run")) and not (PROJECT.root / run).exists():
            program, *words = shlex.split(run)
            assert program == "make"
            assert {word for word in words if "=" not in word} <= targets


def test_only_a_deploy_may_say_who_it_is_and_no_key_is_stored(text, workflow):
    writes = [job for job in workflow["jobs"].values() if "id-token" in job.get("permissions", {})]

    assert len(writes) == (1 if workflow["name"] == "deploy" else 0)
    assert "secrets." not in text


def test_every_stage_but_the_laptop_can_be_deployed():
    deploy = yaml.safe_load((PROJECT.root / ".github" / "workflows" / "deploy.yml").read_text())

    assert set(deploy[True]["workflow_dispatch"]["inputs"]["stage"]["options"]) == set(STAGES) - {"local"}


def test_each_night_sends_other_requests(monkeypatch):
    nightly = yaml.safe_load((PROJECT.root / ".github" / "workflows" / "nightly.yml").read_text())
    [trigger] = nightly[True]["schedule"]
    commands = [shlex.split(step["run"]) for step in _steps(nightly) if "run" in step]

    assert re.fullmatch(r"\d+ \d+ \* \* \*", trigger["cron"])
    assert ["make", "test-security"] in commands
    assert _seed_of_default(monkeypatch, days=0) != _seed_of_default(monkeypatch, days=1)


def _seed_of_default(monkeypatch, *, days):
    """Return the seed of `make test-security` without arguments, `days` from now."""
    now = datetime.now(UTC)
    monkeypatch.setattr(security, "datetime", SimpleNamespace(now=lambda zone: now + timedelta(days)))
    monkeypatch.setattr(sys, "argv", ["tests.security"])
    return security._arguments().seed


def _steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]
