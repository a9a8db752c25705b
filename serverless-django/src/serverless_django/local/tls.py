"""A certificate authority for this laptop, and what it signs for the endpoints of the database and the cache."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

LIFETIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """PEM files; the key can be read by this user only."""

    authority: Path
    """What a client verifies against."""

    certificate: Path
    key: Path


def server_certificate(folder: Path, addresses: Iterable[str]) -> ServerCertificate:
    """Return a certificate for the IP `addresses`, made at the first call and kept in `folder`."""
    files = ServerCertificate(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    if not all(path.exists() for path in (files.authority, files.certificate, files.key)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(files, addresses)
    return files


def _make(files: ServerCertificate, addresses: Iterable[str]) -> None:
    authority = trustme.CA()
    server = authority.issue_cert(*addresses, not_after=datetime.now(UTC) + LIFETIME)
    authority.cert_pem.write_to_path(str(files.authority))
    server.cert_chain_pems[0].write_to_path(str(files.certificate))
    files.key.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(files.key))
