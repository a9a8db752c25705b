"""Where the parts of the laptop cloud find each other: what the launcher tells the emulator's process."""

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
    """Of the launcher on 127.0.0.1: runs functions."""

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
        """Raise KeyError if the launcher did not start us."""
        values = json.loads(os.environ[VARIABLE])
        return cls(**values | {"code": Path(values["code"])})

    def variables(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self), default=str)}
