"""`make test-security`: all that this folder tests, and ten thousand requests of Schemathesis to the running system."""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from serverless_django.local.running import STATE
from tests.demo.demo import System, system_at_hand
from tests.demo.load import Visitor, prepare
from tests.figures import write_figures
from tests.security import attack_table
from tests.security.audit import ROOT
from tests.security.canaries import CANARIES, hits_in_files
from tests.security.schemas import Campaign, run_schemathesis

VISITORS = 4
COUNTED = ("forged", "forged_accepted", "bad_inputs", "bad_input_5xx", "matrix_rows", "canary_hits")
GOALS = {
    "schemathesis_requests": ">= 10000",
    "schemathesis_failures": "== 0",
    "forged": ">= 30",
    "forged_accepted": "== 0",
    "bad_inputs": ">= 100",
    "bad_input_5xx": "== 0",
    "matrix_rows": ">= 100",
    "tests_failed": "== 0",
    "canary_hits": "== 0",
    **attack_table.GOALS,
}


def main() -> int:
    """Print the figures and return 0 if every goal is met, else 1."""
    arguments = _arguments()
    # First: a run that is cut short should say how to repeat it.
    print(f"Schemathesis's seed is {arguments.seed}; --seed {arguments.seed} sends the same requests again", flush=True)
    figures, campaigns, token_hits = asyncio.run(_run(arguments))
    for campaign in campaigns:
        print(campaign)
    figures["schemathesis_requests"] = sum(campaign.requests for campaign in campaigns)
    figures["schemathesis_failures"] = sum(campaign.failures for campaign in campaigns)
    figures["schemathesis_seed"] = arguments.seed
    figures["canary_hits"] += token_hits + templates_with_secrets()
    return 0 if write_figures("security", figures, GOALS) else 1


def run_tests() -> Counter[str]:
    """Run the tests of security, the library's and this project's, print the attacks, and add up what was counted."""
    figures, attacks = Counter[str](), list[attack_table.Attack]()
    for folder in (ROOT / "serverless-django", ROOT):
        cases = _report_of(folder)
        figures.update(counted_in(cases))
        suite = cases.find("testsuite")
        assert suite is not None
        figures["tests"] += int(suite.attrib["tests"])
        figures["tests_failed"] += int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        attacks += attack_table.attacks_in(cases)
    # Sorted: those that succeeded come first.
    print("\nattacks", *sorted(map(str, attacks)), sep="\n  ")
    figures.update(attack_table.figures_of(attacks))
    return figures


def _report_of(folder: Path) -> ET.Element:
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/security", f"--junitxml={report}", "-o",
                   "junit_family=xunit1"]  # fmt: skip
        subprocess.run(command, cwd=folder, check=False)
        return ET.parse(report).getroot()  # noqa: S314 (our own file)


def counted_in(report: ET.Element) -> Counter[str]:
    """Add up what tests have counted.  Others write properties, too: Hypothesis its statistics, for each test."""
    figures = Counter(dict.fromkeys(COUNTED, 0))
    for each in report.iter("property"):
        if each.attrib["name"] in figures:
            figures[each.attrib["name"]] += int(each.attrib["value"])
    return figures


async def _run(arguments: argparse.Namespace) -> tuple[Counter[str], list[Campaign], int]:
    async with system_at_hand() as system:
        # The system runs beside the tests: some attacks are on its open ports.
        figures = await asyncio.to_thread(run_tests)
        visitors = await asyncio.to_thread(prepare, system, members=VISITORS)
        token = visitors[0].phone.token
        campaigns = [await asyncio.to_thread(_campaign, system, who, visitors, arguments) for who in (token, None)]
        return figures, campaigns, logs_with_tokens([visitor.phone.token for visitor in visitors])


def _campaign(system: System, token: str | None, visitors: list[Visitor], arguments: argparse.Namespace) -> Campaign:
    with tempfile.TemporaryDirectory() as folder:
        return run_schemathesis(
            system.url,
            Path(folder),
            token=token,
            visitors=visitors,
            examples=arguments.examples,
            seconds=arguments.seconds,
            seed=arguments.seed,
        )


def logs_with_tokens(tokens: list[str]) -> int:
    """Return how many of the logs of the running system hold the signature of one of `tokens`."""
    signatures = [token.rpartition(".")[2].encode() for token in tokens]
    logs = [path for path in (STATE / "logs").rglob("*") if path.is_file()]
    assert logs, "the running system writes logs"
    contents = [path.read_bytes() for path in logs]
    return sum(any(signature in content for signature in signatures) for content in contents)


def templates_with_secrets() -> int:
    """Synthesize prod while the secrets of who deploys are marker strings, and return how many turn up."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["cdk", "synth", "--quiet", "--context", "stage=prod", "--output", folder]
        subprocess.run(command, cwd=ROOT, env=os.environ | dict(CANARIES), check=True)
        # Assets are zipped or copied from the bundle: its files are read as they are.
        hits = hits_in_files([Path(folder), *_bundles()])
    print(*(re.sub(r".*/", "", hit) for hit in hits), sep="\n")
    return len(hits)


def _bundles() -> list[Path]:
    folders = sorted((ROOT / ".build" / "bundles").glob("arm64-*"), key=lambda path: path.stat().st_mtime)
    return folders[-1:]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=330, help="requests of Schemathesis to each operation")
    parser.add_argument("--seconds", type=int, default=900, help="the longest that one of its two runs may take")
    parser.add_argument("--seed", type=int, default=seed_of_today(), help="of Schemathesis; another one each day")
    return parser.parse_args()


def seed_of_today() -> int:
    """Return another number each day: what one night misses, a later one finds."""
    return datetime.now(UTC).toordinal()


if __name__ == "__main__":
    raise SystemExit(main())
