"""What there is in the emulated AWS, service by service: before a deploy and after a destroy it should be the same."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from serverless_django.local.emulated_aws import EmulatedAws
from serverless_django.local.emulator import Emulator

KINDS = (
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("events", "list_rules", "Rules", "Name"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("apigatewayv2", "get_apis", "Items", "ApiId"),
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
)
"""Service, call, the list in its answer, and the name of an item."""


def inventory(client: Callable[[str], Any]) -> set[str]:
    return {f"{service} {name}" for service, *kind in KINDS for name in _names(client(service), *kind)}


def _names(client: Any, call: str, items: str, name: str) -> Iterator[str]:
    pages = client.get_paginator(call).paginate() if client.can_paginate(call) else [getattr(client, call)()]
    for page in pages:
        for item in page.get(items, []):
            yield str(item[name] if name else item)


def leftovers(client: Callable[[str], Any]) -> set[str]:
    """Return what there is beside what an account has from the beginning and what `cdk bootstrap` made."""
    with tempfile.TemporaryDirectory(prefix="aws-") as folder, Emulator(state=Path(folder)) as untouched:
        always = inventory(EmulatedAws(untouched.url).client)
    return {item for item in inventory(client) - always if "CDKToolkit" not in item and "cdk-hnb659fds" not in item}
