"""`make chaos-uploads`: a thousand uploads, with events lost and repeated and workers killed, in a laptop cloud."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from serverless_django.local.cloud import Cloud
from serverless_django.local.running import RunningCloud
from tests.chaos.uploads.run import Plan, run, table
from tests.uploads.figures import write_upload_figures

FIGURES = ("settled", "lost", "doubled")


async def run_in_new_cloud(plan: Plan) -> dict[str, float]:
    """Start its own system, so that nothing of the one in `make run` is touched."""
    with tempfile.TemporaryDirectory(prefix="chaos-uploads-") as folder:
        state = Path(folder)
        async with Cloud(state=state, port=0, on_exchange=lambda _: None).running():
            return await asyncio.to_thread(run, RunningCloud.find(state), state, plan)


def main() -> int:
    """Return 0 if every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    plan = Plan(uploads=arguments.uploads, kills=arguments.kills, seed=arguments.seed)
    figures = asyncio.run(run_in_new_cloud(plan))
    print(f"\nseed {plan.seed}\n{table(figures)}")
    return 0 if write_upload_figures({key: figures[key] for key in FIGURES}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
