"""SECURITY.md names the test of each threat, and each of them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [
    each for tests in (ROOT / "tests", ROOT / "serverless-django" / "tests") for each in (tests, tests / "security")
]
PAGE = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)(?:::(\w+))?`", PAGE)))
NAMES_A_TEST = re.compile(r"\.py(`|::)|`make ")


def rows():
    return [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]


def test_every_threat_names_a_test():
    threats = [line for line in rows() if not line.startswith(("| **", "| threat"))]

    assert len(threats) > 25
    assert [line for line in threats if not NAMES_A_TEST.search(line.split("|")[3])] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_page_names_is_there(path, name):
    [file] = [each for folder in FOLDERS if (each := folder / path).exists()]

    assert f"def {name}(" in file.read_text() if name else True


def test_every_file_of_attacks_is_named():
    files = {f"attacks/{path.name}" for folder in FOLDERS for path in (folder / "attacks").glob("test_*.py")}

    assert len(files) > 10
    assert files - {path.removeprefix("security/") for path, _ in NAMED} == set()
