"""Whether what a topology may run at once fits the connections that a stage's database has."""

from collections.abc import Mapping

from serverless_django.contract.resources import Topology
from serverless_django.deploy.config.instances import instance_of
from serverless_django.deploy.config.stage import InvalidStageError, Stage

CONNECTIONS_PER_ENVIRONMENT = 1
"""A request or a batch runs on one thread, whose connection lasts as long as its environment."""

CONNECTIONS_PER_GB = 100
"""RDS allows 112 by its own rule; a connection takes some 10 MB."""

MAX_CONNECTIONS = 2000
"""More sessions than this do not answer faster; Aurora's least capacity allows no more either."""

PROXY_SHARE = 0.9
"""Of the database's connections; the rest is for migrations, RDS itself and operators."""

GB_PER_CAPACITY_UNIT = 2


class TooManyConnectionsError(InvalidStageError):
    """More may run at once than the database has connections for."""


def memory_gb_of(stage: Stage) -> float:
    """Return the memory of the database, of Aurora at its largest."""
    if stage.database_engine == "aurora":
        return stage.aurora_max_capacity * GB_PER_CAPACITY_UNIT
    return instance_of(stage.database_instance_class).memory_gb


def max_connections_of(stage: Stage) -> int:
    return min(MAX_CONNECTIONS, int(memory_gb_of(stage) * CONNECTIONS_PER_GB))


def proxied_connections_of(stage: Stage) -> int:
    return int(max_connections_of(stage) * PROXY_SHARE)


def connections_of(stage: Stage, topology: Topology) -> Mapping[str, int]:
    """Return how many connections each function may hold at once, by its name."""
    queues = {queue.name: queue.max_concurrency for queue in topology.every_queue}
    environments = {"api": stage.api_max_concurrency} | queues
    return {name: count * CONNECTIONS_PER_ENVIRONMENT for name, count in environments.items()}


def check_connections(stage: Stage, topology: Topology) -> None:
    """Raise TooManyConnectionsError, which shows the sum, if it is more than the proxy may open."""
    wanted, there = connections_of(stage, topology), proxied_connections_of(stage)
    if (total := sum(wanted.values())) > there:
        terms = " + ".join(f"{name} {count}" for name, count in wanted.items())
        raise TooManyConnectionsError(
            f"stage {stage.name!r} may hold {total} connections ({terms}), its proxy opens {there} at most; "
            "lower api_max_concurrency or a queue's max_concurrency, or take a larger database"
        )
