"""`make conformance`: every case, through our adapter and through the peers; prints the table that docs/ holds."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping

from tests.conformance.variants import CASES, VARIANTS
from tests.figures import write_figures
from tests.interleaved import PEERS_PYTHON, ROOT, clean_environment
from tests.paths import LIBRARY

PAGE = ROOT / "docs" / "conformance.md"

GOALS = {"cases": ">= 200", "ours_failed": "== 0"}

type Faults = Mapping[str, Mapping[str, str]]
"""Adapter → id of a case → its fault, empty if it passed."""


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    faults = {name: run_variant(name) for name in VARIANTS}
    PAGE.write_text(page(faults))
    print(table(faults))
    failed = {f"{name.lower().replace('-', '_')}_failed": len(failures(faults[name])) for name in VARIANTS}
    return 0 if write_figures("conformance", {"cases": len(CASES), **failed}, GOALS) else 1


def run_variant(name: str) -> dict[str, str]:
    """Run all cases in its own process.  Raise CalledProcessError if it dies."""
    variables = clean_environment() | {
        "DJANGO_SETTINGS_MODULE": "tests.conformance.settings",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [PEERS_PYTHON, "-m", "tests.conformance.variants", name]
    done = subprocess.run(
        command, env=variables, cwd=LIBRARY, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    faults: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return faults


def failures(faults: Mapping[str, str]) -> list[str]:
    return [case for case, fault in faults.items() if fault]


def table(faults: Faults) -> str:
    """Return Markdown: cases by source, and how many each adapter passes."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for case in CASES:
        by_source[case.source].append(case.id)
    rows = [_row(source, ids, faults) for source, ids in by_source.items()]
    heads = "".join(f" {name} |" for name in faults)
    return "\n".join(
        [
            f"| source | cases |{heads}",
            f"|---|--:|{'--:|' * len(faults)}",
            *rows,
            _row("**all**", [case.id for case in CASES], faults),
        ]
    )


def _row(label: str, ids: list[str], faults: Faults) -> str:
    passed = (sum(not faults[name][case] for case in ids) for name in faults)
    return f"| {label} | {len(ids)} |{''.join(f' {count} |' for count in passed)}"


def page(faults: Faults) -> str:
    peers = [name for name in faults if name != "ours"]
    return "\n".join([INTRODUCTION, table(faults), "", *(_findings(name, faults[name]) for name in peers)])


def _findings(name: str, faults: Mapping[str, str]) -> str:
    """Return each fault once, with the sources where it shows."""
    sources: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in failures(faults):
        source, _, title = case.partition(": ")
        sources[title, faults[case]].append(source)
    rows = [
        f"| {_cell(title)} | {', '.join(names)} | {_cell(fault[:110])} |" for (title, fault), names in sources.items()
    ]
    return "\n".join([f"## {name}", "", "| case | at | finding |", "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


INTRODUCTION = """# Conformance

Written by `make conformance`, which runs every case of `serverless-django/tests/conformance/` through each adapter: an
event as its source would send it, one Django behind all of them, and what Django must have seen or the client must get.
Adapters are configured as their documentation says, with support for binary bodies. An event of another source than
HTTP must be an error and not an answer. The suite runs the same cases on ours, so a case that fails stops the build.

How many cases each passes:
"""


if __name__ == "__main__":
    sys.exit(main())
