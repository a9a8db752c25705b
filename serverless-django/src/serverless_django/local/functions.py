"""A deployed Lambda function, as GetFunction describes it, and the folder with its code."""

import base64
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """One published version of a function: what an execution environment is made from."""

    name: str
    version: str
    arn: str
    role_arn: str
    handler: str
    timeout_seconds: float
    memory_mb: int
    code_sha256: str
    """Hexadecimal; also the name of the folder with the code."""

    variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    log_format: str = "Text"
    log_level: str = "INFO"
    log_group: str = ""

    @classmethod
    def read(cls, configuration: Mapping[str, Any]) -> Self:
        """Build from the `Configuration` of Lambda's GetFunction."""
        logging = configuration.get("LoggingConfig") or {}
        name = configuration["FunctionName"]
        return cls(
            name=name,
            version=configuration.get("Version", "$LATEST"),
            arn=configuration["FunctionArn"],
            role_arn=configuration["Role"],
            handler=configuration["Handler"],
            timeout_seconds=float(configuration.get("Timeout", 3)),
            memory_mb=int(configuration.get("MemorySize", 128)),
            code_sha256=base64.b64decode(configuration["CodeSha256"]).hex(),
            variables=(configuration.get("Environment") or {}).get("Variables") or {},
            log_format=logging.get("LogFormat", "Text"),
            log_level=logging.get("ApplicationLogLevel") or "INFO",
            log_group=logging.get("LogGroup") or f"/aws/lambda/{name}",
        )

    @property
    def source(self) -> str:
        """The event source that it serves, which is the name of its handler's module."""
        return self.handler.split(".")[-2]


def unpack_code(folder: Path, sha256: str, archive: bytes) -> Path:
    """Unzip `archive` into `folder`/`sha256`, once for all environments, and return that folder."""
    target = folder / sha256
    if not target.exists():
        draft = folder / f"{sha256}.{os.getpid()}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        with zipfile.ZipFile(BytesIO(archive)) as file:
            file.extractall(draft)
        try:
            draft.rename(target)
        except OSError:  # another function with the same code was faster
            shutil.rmtree(draft)
    return target
