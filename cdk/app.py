"""`cdk deploy --all -c stage=NAME` starts here.  A synth needs no network, no credentials and no Docker."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from cdk.bundling import build_bundle
from cdk.config import Stage, read_stage
from cdk.nag import attach_checks
from cdk.stacks.app import AppStack
from cdk.stacks.data import DataStack
from cdk.stacks.edge import EdgeStack
from lambda_app.contract.resources import Topology
from lambda_app.topology import TOPOLOGY

ROOT = Path(__file__).parent.parent


def add_stacks(app: App, *, stage: Stage, topology: Topology, code: lambda_.Code) -> tuple[DataStack, AppStack]:
    data = DataStack(app, stage=stage, topology=topology)
    edge = EdgeStack(app, stage=stage) if stage.edge == "waf" else None
    return data, AppStack(app, stage=stage, topology=topology, data=data, code=code, edge=edge)


def main() -> None:
    app = App()
    stage = read_stage(app.node.try_get_context("stage"))
    bundle = build_bundle(ROOT, architecture=stage.architecture)
    add_stacks(app, stage=stage, topology=TOPOLOGY, code=lambda_.Code.from_asset(str(bundle)))
    attach_checks(app)
    app.synth()


if __name__ == "__main__":
    main()
