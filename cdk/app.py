"""`cdk deploy --all -c stage=NAME` starts here.  A synth needs no network, no credentials and no Docker."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.resources import Topology
from serverless_django.deploy.bundling import build_bundle
from serverless_django.deploy.config import Stage, read_stage
from serverless_django.deploy.nag import attach_checks
from serverless_django.deploy.stacks.app import AppStack
from serverless_django.deploy.stacks.data import DataStack
from serverless_django.deploy.stacks.edge import EdgeStack

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
