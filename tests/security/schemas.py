"""Schemathesis against the running system: every operation of the OpenAPI document, with all checks and sequences."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.load import Visitor

COMMAND = str(Path(sys.executable).with_name("schemathesis"))
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """What one run did."""

    requests: int
    failures: int
    report: Mapping[str, Any]

    def __str__(self) -> str:
        titles = {f"{each['title']}: {', '.join(each['operations'])}" for each in self.report["failures"]}
        return f"{self.requests:,} requests, {self.failures} failures {'; '.join(sorted(titles))}".strip()


def run_schemathesis(
    url: str,
    folder: Path,
    *,
    token: str | None,
    visitors: Sequence[Visitor],
    examples: int,
    seconds: int,
    seed: int,
) -> Campaign:
    """Send at least `examples` requests of each kind to each operation, for `seconds` at most.

    The same `seed` sends the same requests again."""
    config, report, log = folder / "schemathesis.toml", folder / "report.json", folder / "schemathesis.log"
    config.write_text(_config(visitors))
    command = [
        COMMAND, "--config-file", str(config), "--no-color", "run", f"{url}/v1/openapi.json", "--url", url,
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples),
        "--workers", str(WORKERS), "--seed", str(seed), "--continue-on-failure", "--no-shrink",
        "--suppress-health-check", "all", "--warnings", "off",
        "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    else:
        # The gateway asks for a token before Django could answer that there is no such method.
        command += ["--exclude-checks", "unsupported_method"]
    with log.open("wb") as output:
        subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False, timeout=seconds)
    found = json.loads(report.read_text())
    failures = sum(each["count"] for each in found["failures"]) + len(found["errors"])
    if failures or not found["complete"]:
        sys.stdout.write(log.read_text()[-20_000:])
    return Campaign(found["test_cases"]["generated"], failures + (not found["complete"]), found)


def _config(visitors: Sequence[Visitor]) -> str:
    """Name objects that there are: an API of ids answers 404 to a client that guesses them."""
    named = {
        "post_id": [post for visitor in visitors[:1] for post in visitor.posts],
        "handle": [visitor.phone.member for visitor in visitors],
        "photo_id": [visitor.photo for visitor in visitors],
    }
    lines = ["[parameters]"]
    lines += [f'"path.{name}" = {{ dictionary = "{name}" }}' for name in named]
    for name, values in named.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    return "\n".join([*lines, ""])
