"""`make chaos-tasks`: what is lost and what is done twice, ours and two yardsticks under the same faults."""

import argparse

from tests.chaos.tasks.broker import Mischief
from tests.chaos.tasks.run import POISON_COUNT, SET_ASIDE_COUNT, Plan, figures, run
from tests.chaos.tasks.world import World, enumerate_crash_points, running_world
from tests.figures import write_figures

GOALS = {
    "lost": "== 0",
    "doubled": "== 0",
    "books_differ": "== 0",
    "out_of_order": "== 0",
    "set_aside": f"== {SET_ASIDE_COUNT}",
    "healthy_dead": "== 0",
    "healthy_dead_after_redrive": "== 0",
    "outbox_left": "== 0",
    "crash_points_kill_violating": "== 0",
    "crash_points_cut_violating": "== 0",
    "poison_dead": f"== {POISON_COUNT}",
}


def _crash_points(world: World, kind: str, fault: str) -> dict[str, float]:
    world.broker.mischief = Mischief()
    found = enumerate_crash_points(world, kind, fault)
    name = "crash_points" if kind == "ours" else f"{kind}_crash_points"
    return {f"{name}_{fault}": sum(found["points"].values()), f"{name}_{fault}_violating": len(found["violations"])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--crashes", type=int, default=20)
    parser.add_argument("--yardstick-messages", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    mischief = Mischief(seed=arguments.seed, duplicates=0.05, forgotten=0.02, max_delay_seconds=0.2, speed=20)
    with running_world(mischief) as world:
        print(
            f"seed {arguments.seed}, {'through PgBouncer' if world.pools else 'without PgBouncer, which is not here'}"
        )
        measured: dict[str, float] = {"messages": arguments.messages, "seed": arguments.seed}
        plan = Plan(messages=arguments.messages, kills=arguments.kills, crashes=arguments.crashes, seed=arguments.seed)
        measured |= figures(run(plan, world))
        share = min(1.0, arguments.yardstick_messages / arguments.messages)
        for kind in ("naive", "separate") if arguments.yardstick_messages else ():
            lesser = Plan(
                messages=min(arguments.yardstick_messages, arguments.messages),
                kills=max(20, round(arguments.kills * share)),
                crashes=max(2, round(arguments.crashes * share)),
                seed=arguments.seed,
                kind=kind,
            )
            measured |= {f"{kind}_messages": lesser.messages} | figures(run(lesser, world), prefix=f"{kind}_")
        for kind, fault in (("ours", "kill"), ("ours", "cut"), ("naive", "kill")):
            measured |= _crash_points(world, kind, fault)
    goals = GOALS | {"orders": f"== {arguments.messages}"}
    return 0 if write_figures("chaos-tasks", measured, goals) else 1


if __name__ == "__main__":
    raise SystemExit(main())
