"""Addresses of the laptop cloud, which the launcher passes to the emulator's process in an environment variable."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

VARIABLE = "LAPTOP_CLOUD_ADDRESSES"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAddresses:
    """Hosts are IP addresses of this machine's loopback network."""

    control_port: int
    """Port of the launcher's `Control` on 127.0.0.1, which runs functions."""

    control_token: str

    database_host: str
    """In the place of the RDS instance, on port 5432."""

    proxy_host: str
    """In the place of RDS Proxy, on port 5432."""

    cache_host: str
    """In the place of ElastiCache."""

    cache_port: int

    superuser_conninfo: str
    code: Path
    """Folder of unpacked function code."""

    region: str = "us-east-1"
    account: str = "000000000000"

    @classmethod
    def read(cls) -> Self:
        """Return the addresses in this process's environment.  Raise KeyError if the launcher did not start it."""
        values = json.loads(os.environ[VARIABLE])
        return cls(**values | {"code": Path(values["code"])})

    def variables(self) -> dict[str, str]:
        """Return the environment variable from which `read` reads these addresses."""
        return {VARIABLE: json.dumps(asdict(self), default=str)}
