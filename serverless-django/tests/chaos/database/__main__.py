"""`make chaos-db`: every fault again and again, on real processes."""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.database.faults import FAULTS, CannotHappenError
from tests.chaos.database.world import PATIENCE_SECONDS, World, running_world
from tests.figures import write_figures

GOALS = {"failures": "== 0", "slowest_answer_seconds": f"<= {PATIENCE_SECONDS}", "faults_not_caused": "== 0"}


@dataclass(frozen=True, slots=True)
class Result:
    fault: str
    failures: list[str]
    statuses: Counter[int]
    slowest: float

    def __str__(self) -> str:
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return f"  {self.fault:<46} {len(self.failures):>8} {self.slowest:>9.2f} s  {statuses}"


def main() -> int:
    """Return 0 if every round of every fault passed, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--fault", choices=[fault.__name__ for fault in FAULTS])
    arguments = parser.parse_args()
    chosen = [fault for fault in FAULTS if arguments.fault in (None, fault.__name__)]
    print(f"\n{arguments.rounds} rounds\n  {'':<46} {'failures':>8} {'slowest':>11}  answers", flush=True)
    with running_world() as world:
        world.add()  # its first request, which loads what is loaded late
        results = [result for fault in chosen if (result := repeat(world, fault, rounds=arguments.rounds))]
    figures = {
        "rounds_per_fault": arguments.rounds,
        "faults": len(results),
        "faults_not_caused": len(chosen) - len(results),
        "failures": sum(len(result.failures) for result in results),
        "slowest_answer_seconds": round(max((result.slowest for result in results), default=0), 2),
    }
    return 0 if write_figures("chaos-db", figures, GOALS) else 1


def repeat(world: World, fault: Callable[[World], None], *, rounds: int) -> Result | None:
    """Cause `fault` so often, print what was seen and return it; None where it cannot be caused."""
    world.answers.clear()
    failures = []
    for _ in range(rounds):
        try:
            fault(world)
        except CannotHappenError as reason:
            print(f"  {fault.__name__:<46} not caused: {reason}", flush=True)
            return None
        except AssertionError as error:
            failures.append(str(error))
            print(f"    {fault.__name__}: {error}", flush=True)
    statuses = Counter(answer.status for answer in world.answers)
    result = Result(fault.__name__, failures, statuses, max(answer.seconds for answer in world.answers))
    print(result, flush=True)
    return result


if __name__ == "__main__":
    raise SystemExit(main())
