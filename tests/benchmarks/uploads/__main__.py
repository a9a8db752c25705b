"""`make bench-uploads`: a photo's cost, ours against a plain script and libvips; the memory of hostile files."""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.results import write_table
from tests.benchmarks.uploads.photos import write_photos
from tests.benchmarks.uploads.variants import VARIANTS
from tests.interleaved import (
    PEERS_PYTHON,
    Cost,
    Worker,
    measure_in_turns,
    medians,
    print_costs,
    ratio,
)
from tests.uploads.corpus import SAMPLES
from tests.uploads.figures import write_upload_figures
from tests.uploads.measured import measuring

type Costs = Mapping[str, list[Cost]]


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of every variant and photo")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_photos(Path(folder), rounds=rounds)
        peak_mb = measure_memory(Path(folder))
    for photo, table in costs.items():
        print_costs(f"{photo}: microseconds a photo with its renditions, {rounds} rounds", table, base="pillow")
    _print_rates(costs)
    write_table(
        "uploads", {photo: {name: medians(c).cpu for name, c in table.items()} for photo, table in costs.items()}
    )
    return 0 if write_upload_figures(figures(costs) | {"peak_mb": peak_mb}) else 1


def measure_photos(folder: Path, *, rounds: int) -> dict[str, Costs]:
    """Return the costs of every variant, by photo.  Raise AssertionError if they do not make the same renditions."""
    photos = write_photos(folder)
    with _workers() as workers:
        for path in photos.values():
            _check_same(workers, path)
        return {
            name: measure_in_turns(lambda variant, path=path: _cost(workers[variant], path), workers, rounds=rounds)
            for name, path in photos.items()
        }


def measure_memory(folder: Path) -> float:
    """Print what each file of the corpus takes and return the most megabytes that the environment had."""
    with measuring(folder) as environment:
        results = {sample.name: environment.render(sample) for sample in SAMPLES}
        idle_mb = environment.idle_mb
    print(f"\nthe corpus, in an environment of {idle_mb:.0f} MB when idle")
    for name, result in sorted(results.items(), key=lambda item: -item[1].peak_mb):
        print(f"  {name:<40} {result.peak_mb:>6.0f} MB {result.seconds:>7.2f} s  {result.reason or 'rendered'}")
    return max(result.peak_mb for result in results.values())


def figures(costs: Mapping[str, Costs]) -> dict[str, float]:
    """Return ratios of CPU time, each the median over the photos of a day."""
    return {
        "cpu_vs_pillow": median(ratio(table, "ours", "pillow", of="cpu") for table in costs.values()),
        "cpu_vs_pillow_from_full": median(
            ratio(table, "ours", "pillow-from-full", of="cpu") for table in costs.values()
        ),
        "cpu_vs_vips": median(ratio(table, "ours", "libvips", of="cpu") for table in costs.values()),
    }


@contextlib.contextmanager
def _workers() -> Iterator[Mapping[str, Worker]]:
    # One thread: what Lambda gives below 1,769 MB, and what makes CPU times comparable.
    variables = {"VIPS_CONCURRENCY": "1", "DJANGO_SETTINGS_MODULE": "lambda_app.settings.local"}
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(
                Worker(name, "tests.benchmarks.uploads.worker", [name], variables, python=PEERS_PYTHON)
            )
            for name in VARIANTS
        }


def _check_same(workers: Mapping[str, Worker], path: Path) -> None:
    answers: dict[str, Any] = {name: worker.ask(path=str(path)) for name, worker in workers.items()}
    for name, answer in answers.items():
        differences = [
            abs(one - other)
            for size, wanted in zip(answer["sizes"], answers["ours"]["sizes"], strict=True)
            for one, other in zip(size, wanted, strict=True)
        ]
        assert max(differences) <= 1, f"{name} makes {answer['sizes']} of {path.name}, ours {answers['ours']['sizes']}"


def _cost(worker: Worker, path: Path) -> Cost:
    answer = worker.ask(path=str(path))
    return Cost(wall=answer["wall_ms"] * 1000, cpu=answer["cpu_ms"] * 1000)


def _print_rates(costs: Mapping[str, Costs]) -> None:
    print(f"\nphotos a second on one core\n  {'':<24}" + "".join(f"{name:>18}" for name in VARIANTS))
    for photo, table in costs.items():
        print(f"  {photo:<24}" + "".join(f"{1e6 / medians(table[name]).cpu:>18.2f}" for name in VARIANTS))


if __name__ == "__main__":
    raise SystemExit(main())
