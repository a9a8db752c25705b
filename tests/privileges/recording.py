"""What the functions called on the laptop → calls that name resources as a template does, kept in calls.json."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cdk.app import PROJECT
from tests import recorded_calls
from tests.privileges.policies import MASTER_SECRET, Call, Grant, grants_of

RECORD = Path(__file__).with_name("calls.json")
APPLICATION = f"{PROJECT.name}-local"
QUEUES = f"{APPLICATION}-Queue"
"""What CloudFormation's names of the queues of the application's stack begin with."""

KEPT_QUEUE = f"{QUEUES}kept"
"""In no stack any more; stands in the record for each such queue, also for one that a test before has left."""


def read_record() -> set[Call]:
    """Return the calls of the last `make record-calls`."""
    return {Call(*parts) for parts in json.loads(RECORD.read_text())}


def write_record(calls: Iterable[Call]) -> None:
    """Keep the calls, and for the library's tests which function makes which."""
    calls = set(calls)
    rows = [json.dumps([call.role, call.action, call.resource]) for call in sorted(calls)]
    RECORD.write_text("[\n  " + ",\n  ".join(rows) + "\n]\n")
    recorded_calls.write_record((call.role, call.action) for call in calls)


def noted_calls(notes: Path, cloudformation: Any) -> tuple[set[Call], set[Call]]:
    """Return what was allowed and what was refused, of what `local.ministack_calls` noted of our functions."""
    names = _logical_ids(cloudformation)
    rows = [json.loads(line) for line in notes.read_text().splitlines()]
    calls = {True: set[Call](), False: set[Call]()}
    for row in rows:
        # The trigger of the migration is the CDK's own function.
        if not (role := names.get(row["role"], "AWSCDK")).startswith("AWSCDK"):
            calls[row["allowed"]].add(Call(role, row["action"], _symbol_of(row["resource"], names)))
    return calls[True], calls[False]


def _logical_ids(cloudformation: Any) -> dict[str, str]:
    """Return the logical id of each resource of our stacks by its name in AWS."""
    stacks = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    return {
        item["PhysicalResourceId"].rpartition("/")[2]: item["LogicalResourceId"]
        for stack in stacks
        if stack != "CDKToolkit"
        for item in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        if item["ResourceType"] in ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::RDS::DBInstance")
    }


def _symbol_of(arn: str, names: Mapping[str, str]) -> str:
    if ":secret:rds!" in arn:
        return f"{{{MASTER_SECRET}}}"
    name, slash, key = arn.split(":", 5)[-1].partition("/")
    if name.startswith(QUEUES) and name not in names:
        return "arn:{AWS::Partition}:sqs:{AWS::Region}:{AWS::AccountId}:" + KEPT_QUEUE.replace(
            APPLICATION, "{AWS::StackName}"
        )
    return f"{{{names.get(name, arn)}}}{slash}{key}"


def deployed_grants(assembly: Path) -> set[Grant]:
    """Return what the templates in `assembly`, which the CDK wrote, allow."""
    return grants_of(json.loads(path.read_text()) for path in sorted(assembly.glob("*.template.json")))
