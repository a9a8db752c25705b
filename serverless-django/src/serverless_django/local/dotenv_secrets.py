"""Values for the secrets that the stage "local" declares: from the project's .env file, through the emulator."""

from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from serverless_django.deploy.config import Stage
from serverless_django.deploy.stage_secrets import write_values

STAND_IN = "local"
"""Value of a secret that .env does not name, so that a new project starts."""


def write_secrets(client: Any, stage: Stage, root: Path) -> list[str]:
    """Write the secrets of `stage` in the .env file of `root` to Secrets Manager through `client`.

    Return the names of those that the file does not have, which got the value STAND_IN.
    """
    if not stage.secrets:
        return []
    told = dotenv_values(root / ".env")
    values = {name: told.get(name) or STAND_IN for name in stage.secrets}
    write_values(client, stage, values)
    return [name for name in stage.secrets if not told.get(name)]
