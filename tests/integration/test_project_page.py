"""The code of docs/how-to/test-a-project.md is a test module, and passes in the smallest project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "test-a-project.md"
MINIMAL = ROOT / "serverless-django" / "tests" / "projects" / "minimal"


def test_the_tests_on_the_page_pass_in_the_smallest_project(tmp_path):
    [module] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    project = shutil.copytree(MINIMAL, tmp_path / "minimal", ignore=shutil.ignore_patterns("tests", ".*_cache"))
    (project / "test_page.py").write_text(module)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_page.py"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert f"{module.count('def test_')} passed" in done.stdout, done.stdout + done.stderr


def test_the_page_names_every_fixture_of_the_plugin():
    fixtures = (ROOT / "serverless-django/src/serverless_django/testing/fixtures.py").read_text()
    names = re.findall(r"^@pytest\.fixture.*\ndef (\w+)", fixtures, re.MULTILINE)

    # That one replaces a fixture of pytest-django, and no test asks for it.
    assert [name for name in names if f"`{name}`" not in PAGE.read_text() and not name.startswith("django_db")] == []
