"""A certificate authority of this laptop's own, and what it signs for the endpoints of the database and the cache."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=3650)
CERTIFICATES_ONLY = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
)  # fmt: skip
"""What the authority's key may sign."""


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
        _make(files, list(addresses))
    return files


def _make(files: ServerCertificate, addresses: list[str]) -> None:
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name, server_name = _name("Laptop authority"), _name(addresses[0])
    # Key usage and identifiers are what Python asks for since 3.13 (VERIFY_X509_STRICT); libpq does not.
    authority = (
        _certificate(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(CERTIFICATES_ONLY, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _certificate(server_name, authority_name, server_key.public_key())
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)) for address in addresses]), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
    )
