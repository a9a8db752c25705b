"""Without the example there is still a project: its checks and tests pass, every stage is synthesized, and it runs."""

import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import PROJECT, Laptop, make_laptop

PAGE = PROJECT / "docs" / "how-to" / "start-your-own-project.md"


def run(project, *command):
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A copy of this project in which the commands of the page were run; the library stays where it is."""
    laptop: Laptop = make_laptop(tmp_path_factory.mktemp("shop"))
    project = laptop.project
    shutil.rmtree(project / "serverless-django")
    (project / "serverless-django").symlink_to(PROJECT / "serverless-django")
    shutil.rmtree(project / "tests")
    shutil.copytree(PROJECT / "tests", project / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(PROJECT / "Makefile", project)
    [commands] = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    run(project, "bash", "-euo", "pipefail", "-c", commands)
    yield laptop
    laptop.stop()


def test_no_line_names_the_feed(shop):
    files = [path for folder in ("lambda_app", "cdk", "events") for path in (shop.project / folder).rglob("*.*")]
    texts = {path: path.read_text() for path in files if path.suffix in {".py", ".json"}}

    assert len(texts) > 10
    named = {path for path, text in texts.items() if re.search(r"apps\.feed|/v1/feed|photo-feed|Photo|Member", text)}
    assert named == set()


@pytest.mark.nightly
def test_what_make_check_runs_passes(shop):
    # What is installed is shared with this project, and stays as it is.
    run(shop.project, "make", "--assume-old=.venv/.installed", "check")
    run(shop.project, sys.executable, "-m", "lambda_app.manage", "makemigrations", "--check", "--dry-run")


def test_its_tests_pass(shop):
    assert re.search(r"\d\d passed", run(shop.project, "pytest", "-q"))


@pytest.mark.nightly
def test_every_stage_is_synthesized(shop):
    for stage in ("local", "dev", "staging", "prod"):
        run(shop.project, *shop.command("synth", "--stage", stage))


@pytest.mark.nightly
def test_it_runs_on_a_laptop(shop):
    shop.start()

    with urllib.request.urlopen(RunningCloud.find(shop.state).url + "/readyz", timeout=30) as reply:
        assert reply.status == 200
