"""Records what the functions call in AWS, each with the credentials of its role, and compares it with the record.

`tests/infrastructure/test_least_privilege.py` holds the policies of every stage to that record.
"""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from serverless_django.local.emulator import REGION
from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import Laptop
from tests.privileges.play import play
from tests.privileges.recording import read_record

pytestmark = pytest.mark.nightly


def test_the_functions_call_what_was_recorded_and_are_refused_nothing(
    laptop: Laptop, cloud: RunningCloud, aws: Callable[[str], Any]
) -> None:
    allowed, refused = play(laptop, aws)

    assert refused == set()
    assert allowed == read_record(), "run `make record-calls` and look at the difference"


def test_what_no_policy_allows_is_refused(cloud: RunningCloud, aws: Callable[[str], Any]) -> None:
    """Otherwise nothing here would show a missing grant."""
    role = "arn:aws:iam::000000000000:role/cdk-hnb659fds-file-publishing-role-000000000000-us-east-1"
    keys = aws("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    sqs = boto3.client(
        "sqs",
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.send_message(QueueUrl=cloud.outputs["QueueLikesUrl"], MessageBody="{}")
