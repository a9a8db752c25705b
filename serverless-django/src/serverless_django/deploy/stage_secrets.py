"""The secret in Secrets Manager that holds the values of a stage's `secrets`, a key for each."""

import json
from collections.abc import Mapping
from typing import Any

from serverless_django.deploy.config import Stage


def read_values(client: Any, stage: Stage) -> dict[str, str]:
    """Return the secrets of `stage` that have a value, by name."""
    try:
        return dict(json.loads(client.get_secret_value(SecretId=stage.secret_name)["SecretString"]))
    except client.exceptions.ResourceNotFoundException:
        return {}


def write_values(client: Any, stage: Stage, values: Mapping[str, str]) -> None:
    """Make `values` the secrets of `stage`; the first write makes the secret itself."""
    text = json.dumps(dict(values))
    try:
        client.put_secret_value(SecretId=stage.secret_name, SecretString=text)
    except client.exceptions.ResourceNotFoundException:
        client.create_secret(Name=stage.secret_name, SecretString=text, Description="Secrets of a project, by name")
