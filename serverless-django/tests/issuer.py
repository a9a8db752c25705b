"""An issuer with keys of both kinds, which it may rotate, and the address where it publishes them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.invalid/pool"
AUDIENCE = "serverless-django"
PATH = "/.well-known/jwks.json"


class Issuer:
    """Signs tokens, and counts how often its public keys are fetched."""

    def __init__(self) -> None:
        self.private_keys: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []
        self.fetches = 0
        self.is_down = False
        self.rsa = self.add_key("rsa-1", rsa.generate_private_key(public_exponent=65537, key_size=2048))
        self.ec = self.add_key("ec-1", ec.generate_private_key(ec.SECP256R1()))

    def add_key(self, key_id: str, key: Any) -> Any:
        self.private_keys[key_id] = key
        self.published.append(public_jwk(key) | {"kid": key_id, "use": "sig"})
        return key

    def rotate(self, key_id: str) -> None:
        """Publish one new key, and no other any more."""
        self.published = []
        self.add_key(key_id, ec.generate_private_key(ec.SECP256R1()))

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ada",
            "preferred_username": "ada",
            "iat": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, key_id: str = "ec-1", *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        key = self.private_keys[key_id]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**changes), key, algorithm=algorithm, headers={"kid": key_id} | (headers or {}))

    def fetch(self, url: str) -> Any:
        """Answer as the address would, without a network."""
        self.fetches += 1
        if self.is_down:
            raise ConnectionError("the issuer is down")
        return {"keys": list(self.published)}

    @contextmanager
    def served(self) -> Iterator[str]:
        """Publish the keys over HTTP, and yield their address."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    body, status = json.dumps(issuer.fetch(self.path)).encode(), 200
                except ConnectionError:
                    body, status = b"", 503
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}{PATH}"
            finally:
                server.shutdown()


def public_jwk(key: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return dict(algorithm.to_jwk(key.public_key(), as_dict=True))
