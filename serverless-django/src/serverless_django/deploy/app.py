"""A project and the name of a stage → stacks → templates."""

import json
from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from serverless_django.deploy.bundling import build_bundle
from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import attach_checks
from serverless_django.deploy.project import Project, imported
from serverless_django.deploy.stacks.app import AppStack
from serverless_django.deploy.stacks.data import DataStack
from serverless_django.deploy.stacks.edge import EdgeStack

FLAGS: dict[str, object] = json.loads(Path(__file__).with_name("flags.json").read_text())
"""The CDK's feature flags, which decide what its constructs write: those that this version was tested with."""


def add_stacks(app: App, *, stage: Stage, project: Project, code: lambda_.Code) -> tuple[DataStack, AppStack]:
    """Add the stacks of `stage` to `app`, and what the project's `additions` put into them."""
    data = DataStack(app, stage=stage, project=project)
    edge = EdgeStack(app, stage=stage) if stage.edge == "waf" else None
    application = AppStack(app, stage=stage, project=project, data=data, code=code, edge=edge)
    if project.additions:
        imported(project.additions)(application)
    return data, application


def write_templates(project: Project) -> None:
    """Synthesize the stage that the CDK CLI names, with every check."""
    app = App(context=FLAGS)
    stage = project.stage(app.node.try_get_context("stage"))
    bundle = build_bundle(project, architecture=stage.architecture)
    add_stacks(app, stage=stage, project=project, code=lambda_.Code.from_asset(str(bundle)))
    attach_checks(app)
    app.synth()
