"""The project's own settings hold."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_types_of_every_cdk_module_that_we_use_are_checked():
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    [read] = [item["module"] for item in overrides if item.get("follow_imports") == "normal"]

    source = "".join(path.read_text() for path in (ROOT / "cdk").rglob("*.py"))
    used = {f"aws_cdk.{name}" for name in re.findall(r"^from aws_cdk import (aws_\w+|triggers)", source, re.MULTILINE)}

    assert used <= set(read)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120
