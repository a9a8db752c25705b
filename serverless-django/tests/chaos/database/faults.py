"""What can happen to a database, and what its clients must see of it."""

import time
from http import HTTPStatus

from tests.chaos.database.world import Answer, World, wait_until


class CannotHappenError(Exception):
    """This machine does not let us cause the fault."""


def postgresql_crashes(world: World) -> None:
    world.database.postgresql.stop(immediately=True)
    answer = world.add()
    world.database.postgresql.start()

    assert _is_refused(answer)
    world.recover()


def postgresql_restarts_between_requests(world: World) -> None:
    world.database.postgresql.stop()
    world.database.postgresql.start()

    world.recover()


def pooler_is_gone(world: World) -> None:
    world.database.pooler.stop()
    answer = world.add()
    world.database.pooler.start()

    assert _is_refused(answer)
    world.recover()


def pooler_restarts_between_requests(world: World) -> None:
    world.database.pooler.stop()
    world.database.pooler.start()

    world.recover()


def pool_is_exhausted(world: World) -> None:
    """A request that waits for a connection gets an error in time, and does not hang."""
    with world.database.occupied():
        answer = world.add()

    assert _is_refused(answer)
    world.recover()


def pool_is_exhausted_for_a_moment(world: World) -> None:
    with world.database.occupied():
        id = world.begin()
        time.sleep(0.5)

    assert world.end_of(id).status == HTTPStatus.OK
    world.recover()


def backend_is_terminated_between_requests(world: World) -> None:
    world.database.terminate_backends()

    world.recover()


def backend_is_terminated_during_a_request(world: World) -> None:
    id = world.begin(seconds=3)
    wait_until(world.is_at_work)
    world.database.terminate_backends()

    assert _is_refused(world.end_of(id))
    world.recover()


def pooler_is_killed_during_a_request(world: World) -> None:
    id = world.begin(seconds=3)
    wait_until(world.is_at_work)
    world.database.pooler.stop()
    answer = world.end_of(id)
    world.database.pooler.start()

    assert _is_refused(answer)
    world.recover()


def environment_is_frozen_past_the_idle_timeout(world: World) -> None:
    world.add()
    with world.frozen():
        time.sleep(2.2)

    world.recover()


def goodbye_was_lost_while_frozen(world: World) -> None:
    """Nothing answers on the old connection, and its socket looks well; a new connection works."""
    world.add()
    world.wire.lose()
    world.environment.ask(do="rest")

    world.recover()


def network_is_dead_after_the_freeze(world: World) -> None:
    world.add()
    world.wire.lose()
    world.wire.is_swallowing = True
    world.environment.ask(do="rest")
    answer = world.add()
    world.wire.is_swallowing = False

    assert _is_refused(answer)
    world.recover()


def new_environment_meets_a_dead_network(world: World) -> None:
    world.environment.stop()
    world.wire.is_swallowing = True
    world.environment.start()
    answer = world.add()
    world.wire.is_swallowing = False

    assert _is_refused(answer)
    world.recover()


def packets_vanish(world: World) -> None:
    if world.network is None:
        raise CannotHappenError("a network namespace needs root")
    world.add()
    with world.network.black_hole():
        answer = world.add()

    assert _is_refused(answer)
    world.recover()


def primary_is_demoted_and_the_address_moves(world: World) -> None:
    """Reads would go on forever on a connection to what has become a standby."""
    world.add()
    world.database.set_read_only("on")
    world.wire.target = world.standby.address
    id = world.begin()
    answer = world.end_of(id)
    after = world.add()
    world.database.set_read_only("off")
    world.wire.target = world.database.address
    world.wire.drop()

    # A pooler that let go of the connection first, for its rest, has sent the environment to the new primary at once.
    assert _is_refused(answer) or id in world.standby.effects()
    assert after.status == HTTPStatus.OK
    world.recover()


def disk_is_full(world: World) -> None:
    if not world.database.has_small_disk:
        raise CannotHappenError("a small disk needs root")
    answers = [world.add(path="fill") for _ in range(8)]
    world.database.empty_small_disk()

    assert _is_refused(answers[-1])
    assert world.add(path="fill").status == HTTPStatus.OK
    world.recover()


FAULTS = (
    postgresql_crashes,
    postgresql_restarts_between_requests,
    pooler_is_gone,
    pooler_restarts_between_requests,
    pooler_is_killed_during_a_request,
    pool_is_exhausted,
    pool_is_exhausted_for_a_moment,
    backend_is_terminated_between_requests,
    backend_is_terminated_during_a_request,
    environment_is_frozen_past_the_idle_timeout,
    goodbye_was_lost_while_frozen,
    network_is_dead_after_the_freeze,
    new_environment_meets_a_dead_network,
    packets_vanish,
    primary_is_demoted_and_the_address_moves,
    disk_is_full,
)


def _is_refused(answer: Answer) -> bool:
    return answer.status == HTTPStatus.SERVICE_UNAVAILABLE
