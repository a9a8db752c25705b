"""One synth per stage for the whole session: the CDK starts a Node process, which takes seconds.

`from tests.synthesized import *` in a conftest.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

# The Node of the lock file, whatever the PATH says.
os.environ.setdefault("JSII_NODE", str(Path(sys.executable).with_name("node")))


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
DOMAIN = {"domain": "api.example.com", "hosted_zone_id": "Z0123456789"}
SWITCHED = {
    "everything": {
        "database_engine": "aurora", "database_multi_az": True, "egress": "nat", "edge": "waf", **DOMAIN,
        "certificate_arn": CERTIFICATE, "cors_origins": ("https://app.example.com",), "provisioned_concurrency": 2,
        "reserve_concurrency": True, "rollout": "canary", "cache": True, "alarm_email": "alarms@example.com",
        "monthly_budget_usd": 500, "flow_logs": True, "bucket_access_logs": True,
        "logged_statement": timedelta(milliseconds=30),
    },
    "domain": {
        **DOMAIN, "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1"), "egress": "ipv6",
        "availability_zones": 3, "cors_origins": ("https://app.example.com",), "jwt_issuer": "https://issuer.example.com",
    },
    "cdn": {"edge": "cdn", "snap_start": True, "cache": True, "keep_data": False, "deletion_protection": False,
            "database_backup_days": 0, "architecture": "x86_64"},
}  # fmt: skip
"""Every switch that no stage of ours has turned, turned in at least one of these."""


def synthesize(name, folder, topology=None):
    """Return the deployment of a stage of the project or of SWITCHED, with the project's topology or another one."""
    # Here, because importing the CDK starts Node.
    from lambda_app.topology import TOPOLOGY
    from serverless_django.deploy.config import Stage
    from tests.deployment import STAGES, make_deployment

    stage = STAGES.get(name) or Stage(name=name, **SWITCHED[name])
    return make_deployment(stage, topology or TOPOLOGY, folder)


@pytest.fixture(scope="session")
def prod(tmp_path_factory):
    return synthesize("prod", tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def staging(tmp_path_factory):
    return synthesize("staging", tmp_path_factory.mktemp("staging"))


@pytest.fixture(scope="session")
def dev(tmp_path_factory):
    return synthesize("dev", tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    return synthesize("local", tmp_path_factory.mktemp("local"))


@pytest.fixture(params=["prod", "staging", "dev", "local"])
def deployment(request):
    """Every stage in turn: what a test says of it must hold for all."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    return synthesize("everything", tmp_path_factory.mktemp("everything"))


@pytest.fixture(scope="session")
def domain(tmp_path_factory):
    return synthesize("domain", tmp_path_factory.mktemp("domain"))


@pytest.fixture(scope="session")
def cdn(tmp_path_factory):
    return synthesize("cdn", tmp_path_factory.mktemp("cdn"))


@pytest.fixture(params=["prod", "staging", "dev", "local", *SWITCHED])
def any_deployment(request):
    return request.getfixturevalue(request.param)
