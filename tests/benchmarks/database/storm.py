"""`make bench-storm`: a thousand environments, one after the other and then all at once, on a hundred backends."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from statistics import quantiles

from serverless_django.local.pgbouncer import DEFAULT_POOL_SIZE
from tests.benchmarks.database.herd import Report, read_reports
from tests.benchmarks.database.server import Server, running_server
from tests.figures import write_figures
from tests.interleaved import ROOT, clean_environment

SIZES = (50, 200, 1000)
VARIANTS = {
    # name: (way from the event to Django, database settings, through the pooler)
    "stock": ("stock", "stock", False),
    "stock, pooled": ("stock", "stock", True),
    "ours": ("ours", "ours", True),
}
GOALS = {
    "ours_errors_at_1000": "== 0",
    "ours_backends_at_1000": f"<= {DEFAULT_POOL_SIZE}",
    "stock_errors_at_1000": "> 0",
}


@dataclass(frozen=True, slots=True)
class Storm:
    reports: list[Report]
    backends: int
    """The most that were seen at once."""

    @property
    def errors(self) -> int:
        """Count requests that were not answered 200."""
        return sum(count for report in self.reports for status, count in report.statuses.items() if status != 200)

    def row(self, name: str, size: int) -> str:
        first = [report.first_ms for report in self.reports]
        later = [value for report in self.reports for value in report.later_ms] or [0.0, 0.0]
        statuses: Counter[int] = sum((report.statuses for report in self.reports), Counter())
        seen = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        return (
            f"  {size:>5} {name:<14} {self.errors:>7} {_percentile(first, 50):>9.0f} {_percentile(first, 99):>9.0f}"
            f" {_percentile(later, 50):>9.1f} {_percentile(later, 99):>9.1f} {self.backends:>9}  {seen}"
        )


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    print(
        "\nmilliseconds of the first answer, and of two later ones that all ask for in the same moment;"
        " environments, pooler and server share this machine\n"
        f"  {'':>5} {'':<14} {'errors':>7} {'first p50':>9} {'p99':>9} {'later p50':>9} {'p99':>9} {'backends':>9}"
        "  answers",
        flush=True,
    )
    figures: dict[str, float] = {}
    for size in sizes:
        for name in VARIANTS:
            with running_server() as server:
                storm = raise_storm(server, name, size)
            print(storm.row(name, size), flush=True)
            key = name.replace(", ", "_")
            figures |= {f"{key}_errors_at_{size}": storm.errors, f"{key}_backends_at_{size}": storm.backends}
    goals = {key: goal for key, goal in GOALS.items() if key in figures}
    return 0 if write_figures("storm", figures, goals) else 1


def raise_storm(server: Server, name: str, size: int) -> Storm:
    """Let `size` environments send three requests each."""
    way, variant, pooled = VARIANTS[name]
    with tempfile.TemporaryFile() as output, server.counted() as backends:
        herd = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.database.herd", way, str(size)],
            env=clean_environment() | dict(server.variables(variant, pooled=pooled)),
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        most = 0
        while herd.poll() is None:
            most = max(most, backends())
            time.sleep(0.1)
        output.seek(0)
        reports = read_reports(output.read())
    if len(reports) != size:
        raise RuntimeError(f"{size - len(reports)} of {size} environments ended without a report")
    return Storm(reports, most)


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    raise SystemExit(main())
