"""One synth per stage for the whole session: the CDK starts a Node process, which takes seconds."""

import os
import sys
from pathlib import Path

import pytest

# The Node of the lock file, whatever the PATH says.
os.environ.setdefault("JSII_NODE", str(Path(sys.executable).with_name("node")))


def _synthesize(name, folder):
    # Here, because importing the CDK starts Node.
    from cdk.config import STAGES
    from lambda_app.topology import TOPOLOGY
    from tests.infrastructure.deployment import make_deployment

    return make_deployment(STAGES[name], TOPOLOGY, folder)


@pytest.fixture(scope="session")
def prod(tmp_path_factory):
    return _synthesize("prod", tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def dev(tmp_path_factory):
    return _synthesize("dev", tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    return _synthesize("local", tmp_path_factory.mktemp("local"))


@pytest.fixture(params=["prod", "dev", "local"])
def deployment(request):
    """Every stage in turn: what a test says of it must hold for all."""
    return request.getfixturevalue(request.param)
