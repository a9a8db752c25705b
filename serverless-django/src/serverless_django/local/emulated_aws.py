"""What the launcher asks the emulated AWS: functions, credentials, stacks and queues."""

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from serverless_django.local.emulator import CREDENTIALS, REGION
from serverless_django.local.functions import FunctionVersion, unpack_code


@dataclass(frozen=True)
class EmulatedAws:
    """Every method is one or a few calls, each of some milliseconds."""

    endpoint: str
    credentials: Mapping[str, str] = field(default_factory=lambda: CREDENTIALS, repr=False, hash=False)

    @cache  # noqa: B019 (lives as long as the process)
    def client(self, service: str) -> Any:
        """Return boto3's client for `service`, such as "sqs"."""
        # Kept: it is made in the time of some fifty calls, and during a deploy each request makes one.
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
        )

    def assume_role(self, function: FunctionVersion) -> Mapping[str, str]:
        """Return the variables with temporary credentials that Lambda gives to `function`."""
        answer = self.client("sts").assume_role(RoleArn=function.role_arn, RoleSessionName=function.name[:64])
        credentials = answer["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def read_function(self, arn: str, *, code: Path, **qualifier: str) -> FunctionVersion:
        """Return the version behind `arn` or a name with its `Qualifier`, with its code unpacked into `code`."""
        answer = self.client("lambda").get_function(FunctionName=arn, **qualifier)
        function = FunctionVersion.read(answer["Configuration"])
        if not (code / function.code_sha256).exists():
            with urllib.request.urlopen(answer["Code"]["Location"], timeout=30) as archive:  # noqa: S310 (ours)
                unpack_code(code, function.code_sha256, archive.read())
        return function

    def complete_stacks(self) -> set[str]:
        """Return the names of the stacks that are deployed and settled."""
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"] for stack in stacks if stack["StackStatus"].endswith("_COMPLETE")}

    def count_messages(self) -> dict[str, int]:
        """Count what lies in each queue: visible, in flight and delayed."""
        sqs, counts = self.client("sqs"), {}
        for url in sqs.list_queues().get("QueueUrls", []):
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            counts[url.rpartition("/")[2]] = sum(
                int(value) for name, value in attributes.items() if name.startswith("ApproximateNumberOfMessages")
            )
        return counts
