"""The built wheel in an empty environment: a small project runs, deploys and passes its tests on it, and upgrades."""

import re
import shutil
from pathlib import Path

import pytest

from tests.wheel.installed import LIBRARY, Installed, ask, build_wheel

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(LIBRARY, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def project(tmp_path, wheel):
    installed = Installed.copy_of("minimal", tmp_path / "project")
    installed.take(wheel)
    yield installed
    installed.stop()


def test_the_tests_of_a_project_pass_on_the_wheel_alone(project):
    assert "6 passed" in project.uv("run", "--quiet", "pytest", "-q")

    where = project.uv("run", "--quiet", "python", "-c", "import serverless_django; print(serverless_django.__file__)")
    assert Path(where.strip()).is_relative_to(project.root)


@pytest.mark.e2e
@pytest.mark.nightly
def test_a_project_runs_on_the_wheel_and_takes_its_next_version_by_a_lock_and_a_deploy(project, tmp_path):
    url = project.start()
    ask(f"{url}/greetings?name=Ada", method="POST")
    written = _files(project.root)
    before = ask(f"{url}/healthz")
    project.stop()

    project.take(_next_version(tmp_path))
    url = project.start()

    assert before == {"status": "ok"}
    assert ask(f"{url}/healthz") == {"status": "ok", "release": "next"}
    assert ask(f"{url}/greetings")["greetings"] == ["Ada"]
    assert _files(project.root) == written


def _next_version(folder: Path) -> Path:
    """Build the library as its next release might be: another version, and another answer of /healthz."""
    source = folder / "next"
    shutil.copytree(LIBRARY, source, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*_cache", "node_modules"))
    declared = source / "pyproject.toml"
    declared.write_text(re.sub(r'^version = ".*"', 'version = "99.0.0"', declared.read_text(), flags=re.MULTILINE))
    health = source / "src" / "serverless_django" / "http" / "health.py"
    changed = health.read_text().replace('{"status": "ok"}', '{"status": "ok", "release": "next"}')
    assert changed != health.read_text()
    health.write_text(changed)
    return build_wheel(source, folder / "dist")


def _files(root: Path) -> dict[str, str]:
    """Return the project's own files by name, but for the lock, and without the line that names the wheel."""
    made = {".venv", ".local", ".build", "__pycache__", "uv.lock", "run.log"}
    ours = (path for path in root.rglob("*") if path.is_file() and not made & set(path.relative_to(root).parts))
    texts = {str(path.relative_to(root)): path.read_text() for path in ours}
    return {name: re.sub(r"(?m)^serverless-django = \{ path.*$", "", text) for name, text in texts.items()}
