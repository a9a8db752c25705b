"""What a client sees of each fault of the database: 200, or 503 within four seconds, and nothing twice."""

import pytest

from tests.chaos.database.faults import FAULTS, CannotHappenError
from tests.chaos.database.world import running_world


@pytest.fixture(scope="module")
def world():
    with running_world() as world:
        world.add()
        yield world


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.daily(3)
def test_the_next_request_is_served_after(fault, world):
    try:
        fault(world)
    except CannotHappenError as reason:
        pytest.skip(str(reason))
