"""What a stage keeps in Secrets Manager: the values of its `secrets`, a key for each, and Django's SECRET_KEY."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.utils import get_random_secret_key

from serverless_django.deploy.config import Stage
from serverless_django.secrets import FALLBACKS, SECRET_KEY

ANNOUNCED = "NEXT_SECRET_KEY"
"""Field of the secret with the key that every environment verifies and none signs with yet."""


def read_values(client: Any, stage: Stage) -> dict[str, str]:
    """Return the secrets of `stage` that have a value, by name, read with `client`, boto3's for Secrets Manager."""
    try:
        return dict(json.loads(client.get_secret_value(SecretId=stage.secret_name)["SecretString"]))
    except client.exceptions.ResourceNotFoundException:
        return {}


def write_values(client: Any, stage: Stage, values: Mapping[str, str]) -> None:
    """Write `values`, by name, to the secrets of `stage` with `client`, boto3's for Secrets Manager.

    The first write creates the secret that holds them.
    """
    text = json.dumps(dict(values))
    try:
        client.put_secret_value(SecretId=stage.secret_name, SecretString=text)
    except client.exceptions.ResourceNotFoundException:
        client.create_secret(Name=stage.secret_name, SecretString=text, Description="Secrets of a project, by name")


def find_key(cloudformation: Any, stage: Stage) -> str | None:
    """Return the ARN of the secret with SECRET_KEY in the data stack of `stage`, None if the stack has none.

    `cloudformation` is boto3's client.
    """
    [stack] = cloudformation.describe_stacks(StackName=f"{stage.prefix}-data")["Stacks"]
    found = (output["OutputValue"] for output in stack.get("Outputs", []) if output["OutputKey"] == "SecretKeyArn")
    return next(found, None)


def rotate_key(client: Any, arn: str) -> bool:
    """Take the next of the two steps that rotate SECRET_KEY in the secret `arn`; return whether it was the second.

    `client` is boto3's for Secrets Manager.  The first step adds a new key, which does not sign yet: an instance that
    knows only the old key would end the sessions that the new one signed.  The second step signs with the new key, and
    keeps the old one to verify earlier signatures.
    """
    values = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    key, announced = values[SECRET_KEY], values.get(ANNOUNCED)
    rotated = (
        {SECRET_KEY: announced, FALLBACKS: [key]}
        if announced
        else {SECRET_KEY: key, ANNOUNCED: (new := get_random_secret_key()), FALLBACKS: [new]}
    )
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(rotated))
    return announced is not None
