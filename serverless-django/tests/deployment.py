"""The app as a test sees it: synthesized with the library's flags, around a tiny folder in place of the bundle."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk.app import PROJECT
from serverless_django.contract.resources import Topology
from serverless_django.deploy.app import FLAGS, add_stacks
from serverless_django.deploy.config import Stage
from serverless_django.deploy.stacks.app import AppStack
from serverless_django.deploy.stacks.data import DataStack

STAGES = {stage.name: PROJECT.stage(stage.name) for stage in PROJECT.stages}

Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Deployment:
    stage: Stage
    app: App
    data_stack: DataStack
    app_stack: AppStack
    data: Mapping[str, Any]
    """The template of what lasts."""

    application: Mapping[str, Any]
    """The template of what every deploy replaces."""

    edge: Mapping[str, Any]
    """The template of the firewall, without anything if the stage has none."""

    @property
    def templates(self) -> tuple[Mapping[str, Any], ...]:
        return self.data, self.application, self.edge

    def resources(self, type_: str) -> dict[str, Resource]:
        return {
            name: resource
            for template in self.templates
            for name, resource in template["Resources"].items()
            if resource["Type"] == type_
        }

    def properties(self, type_: str) -> list[Mapping[str, Any]]:
        return [resource["Properties"] for resource in self.resources(type_).values()]

    def statements_of(self, role: str) -> Iterator[Mapping[str, Any]]:
        for policy in self.properties("AWS::IAM::Policy"):
            if {"Ref": role} in policy["Roles"]:
                yield from policy["PolicyDocument"]["Statement"]

    def functions(self) -> dict[str, Mapping[str, Any]]:
        """Properties of our functions, by logical id, without the JavaScript function of CDK's trigger."""
        return {
            name: function["Properties"]
            for name, function in self.resources("AWS::Lambda::Function").items()
            if function["Properties"]["Runtime"].startswith("python")
        }

    def function_named(self, part: str) -> Mapping[str, Any]:
        [function] = [properties for name, properties in self.functions().items() if name.startswith(part)]
        return function


def make_deployment(stage: Stage, topology: Topology, folder: Path) -> Deployment:
    code = folder / "code"
    code.mkdir()
    (code / "module.py").write_text("")
    app = App(context=FLAGS, outdir=str(folder / "out"), analytics_reporting=False)
    project = replace(PROJECT, topology=topology)
    data, application = add_stacks(app, stage=stage, project=project, code=lambda_.Code.from_asset(str(code)))
    edge = cast("Stack | None", app.node.try_find_child(f"{stage.prefix}-edge"))
    return Deployment(
        stage=stage,
        app=app,
        data_stack=data,
        app_stack=application,
        data=Template.from_stack(data).to_json(),
        application=Template.from_stack(application).to_json(),
        edge=Template.from_stack(edge).to_json() if edge else {"Resources": {}},
    )


def role_of(function: Mapping[str, Any]) -> str:
    return function["Role"]["Fn::GetAtt"][0]


def actions_of(statement: Mapping[str, Any]) -> set[str]:
    return set(_listed(statement["Action"]))


def resources_of(statement: Mapping[str, Any]) -> list[str]:
    return [json.dumps(resource) for resource in _listed(statement["Resource"])]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
