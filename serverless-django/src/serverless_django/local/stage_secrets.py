"""Values for the secrets that the stage "local" declares: from the project's .env file, through the emulator."""

import json
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from serverless_django.deploy.config import Stage

STAND_IN = "local"
"""Value of a secret that .env does not name, so that a new project starts."""


def write_secrets(client: Any, stage: Stage, root: Path) -> list[str]:
    """Write each secret of `stage` to Secrets Manager through `client`; return the names that got STAND_IN."""
    if not stage.secrets:
        return []
    told = dotenv_values(root / ".env")
    values = {name: told.get(name) or STAND_IN for name in stage.secrets}
    put_secret(client, stage.secret_name, values)
    return [name for name in stage.secrets if not told.get(name)]


def put_secret(client: Any, name: str, values: dict[str, str]) -> None:
    """Make the keys and values of the secret `name` those of `values`."""
    text = json.dumps(values)
    try:
        client.put_secret_value(SecretId=name, SecretString=text)
    except client.exceptions.ResourceNotFoundException:
        client.create_secret(Name=name, SecretString=text, Description="Secrets of a project, one key each")
