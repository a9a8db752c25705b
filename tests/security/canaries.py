"""Marker strings in the place of secrets: wherever one turns up again, a secret would have."""

from collections.abc import Iterable, Mapping
from pathlib import Path

CANARIES: Mapping[str, str] = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret-8c1f",
    "PGPASSWORD": "canary-database-password-8c1f",
    "CDK_CONTEXT_SECRET": "canary-of-who-deploys-8c1f",
    "password": "canary-password-8c1f",
    "token": "canary-token-8c1f",
    "cookie": "canary-cookie-8c1f",
    "origin": "canary-origin-8c1f",
    "key": "canary-idempotency-8c1f",
}
MARK = "canary-"


def hits_in(text: str) -> list[str]:
    """Return the names of the secrets in `text`."""
    return [name for name, value in CANARIES.items() if value in text]


def hits_in_files(folders: Iterable[Path]) -> list[str]:
    """Return each file below `folders` that holds a secret."""
    found = []
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found += [f"{path}: {name}" for name, value in CANARIES.items() if value.encode() in content]
    return found
