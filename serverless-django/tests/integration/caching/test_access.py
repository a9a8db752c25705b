"""Signing in as to ElastiCache: TLS to the endpoint of a cluster, a user with a token, and no needless right."""

import asyncio
import contextlib
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from valkey import Valkey as Client
from valkey.exceptions import AuthenticationError, NoPermissionError, ResponseError

from serverless_django.caching.connections import IamToken
from serverless_django.caching.valkey import ValkeyCache
from serverless_django.contract.environment import CACHE_ACCESS
from serverless_django.local.emulator import free_port
from serverless_django.local.tls import server_certificate
from serverless_django.local.tls_gate import TlsGate
from serverless_django.local.valkey import SLOTS, Valkey
from tests.valkeys import wait_for_cluster

USER = "serverless-django-test"


@pytest.fixture(scope="module")
def endpoint():
    """Return the URL of a cache as ElastiCache Serverless serves it, and the certificate that it is known by."""
    with tempfile.TemporaryDirectory(prefix="vk-") as folder:
        port, certificate = free_port(), server_certificate(Path(folder) / "tls", ["127.0.0.1"])
        announced = ("--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", str(port))
        with Valkey(Path(folder), port=free_port(), slots=range(SLOTS), options=announced) as server:
            wait_for_cluster([server])
            server.admit_only(USER, CACHE_ACCESS)
            gate = TlsGate("127.0.0.1", port, server.port, certificate, waits_for_request=False)
            with served(gate):
                yield f"rediss://127.0.0.1:{port}", certificate


@contextlib.contextmanager
def served(gate):
    """Run `gate` on an event loop in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(gate.start(), loop).result(5)
        yield
        asyncio.run_coroutine_threadsafe(gate.stop(), loop).result(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def cache(endpoint):
    url, certificate = endpoint
    options = {"iam_name": USER, "ssl_ca_certs": str(certificate.authority)}
    cache = ValkeyCache(url, {"KEY_PREFIX": "test", "OPTIONS": options})
    yield cache
    cache.disconnect()


@pytest.fixture
def stranger(endpoint):
    """Return a maker of plain clients of the endpoint."""
    url, certificate = endpoint
    made = []

    def stranger(**options):
        made.append(
            Client.from_url(url, ssl_ca_certs=str(certificate.authority), lib_name=None, lib_version=None, **options)
        )
        return made[-1]

    yield stranger
    for client in made:
        client.connection_pool.disconnect()


MANY = {f"key-{number}": number for number in range(50)}


def test_everything_that_the_cache_does_is_allowed_to_its_user(cache):
    assert cache.clear() is True
    assert cache.set_many(MANY) == []
    cache.set("key", "value", 60)
    assert (cache.get("key"), cache.get_many(MANY), cache.add("key", 1)) == ("value", MANY, False)
    assert (cache.incr("key-1"), cache.touch("key", 5), cache.touch("key", None), cache.has_key("key")) == (
        2,
        True,
        True,
        True,
    )
    assert (cache.get_or_set("new", lambda: 1, 60), cache.incr_version("new")) == (1, 2)
    assert cache.delete("key") is True
    cache.delete_many(MANY)
    assert cache.get_many(MANY) == {}


@pytest.mark.parametrize(
    "command",
    [("KEYS", "*"), ("SCAN", "0"), ("EVAL", "return 1", "0"), ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("MONITOR",),
     ("CLIENT", "LIST"), ("SHUTDOWN",), ("FLUSHALL",), ("SUBSCRIBE", "x"), ("PUBLISH", "x", "y"),
     ("DUMP", "key"), ("RESTORE", "key", "0", "x"), ("FUNCTION", "LIST"), ("CLUSTER", "RESET"), ("RENAME", "a", "b"),
     ("SCRIPT", "LOAD", "x")],
    ids=lambda command: command[0],
)  # fmt: skip
def test_nothing_else_is_allowed_to_it(stranger, command):
    client = stranger(username=USER, password="token")

    with pytest.raises(NoPermissionError, match="permissions"):
        client.execute_command(*command)


def test_a_stranger_may_nothing(stranger):
    with pytest.raises(AuthenticationError):
        stranger().get("key")
    with pytest.raises(AuthenticationError):
        stranger(username="default", password="").get("key")


def test_a_command_that_is_not_allowed_is_an_error_and_no_outage(cache):
    cache.set("key", 1)

    with pytest.raises(ResponseError, match="permissions"):
        cache.connection.ask("key", lambda client: client.execute_command("DUMP", "test:1:key"), None)

    assert cache.get("key") == 1


@pytest.fixture
def signed(monkeypatch):
    """Return a list of the tokens that are made."""
    tokens = []
    monkeypatch.setattr(IamToken, "get_credentials", lambda self: tokens.append(1) or (USER, "token"))
    return tokens


@pytest.mark.parametrize("scheme", ["rediss", "REDISS", "valkeys"])
def test_an_endpoint_with_the_certificate_of_another_gets_no_token(tmp_path, signed, caplog, scheme):
    certificate = server_certificate(tmp_path, ["127.0.0.9"])
    gate = TlsGate("127.0.0.1", free_port(), tmp_path / "nowhere", certificate, waits_for_request=False)
    options = {"iam_name": USER, "ssl_ca_certs": str(certificate.authority)}

    with served(gate):
        found = ValkeyCache(f"{scheme}://127.0.0.1:{gate.port}", {"OPTIONS": options}).get("key", "miss")

    assert (found, signed) == ("miss", [])
    assert "IP address mismatch" in caplog.text


def test_an_endpoint_with_a_certificate_of_an_unknown_authority_gets_no_token(endpoint, signed, caplog):
    cache = ValkeyCache(endpoint[0], {"OPTIONS": {"iam_name": USER}})

    assert (cache.get("key", "miss"), signed) == ("miss", [])
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_the_token_is_what_elasticache_documents(monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")

    user, token = IamToken(USER).get_credentials()

    parts = urlsplit(f"http://{token}")
    query = {name: value for name, [value] in parse_qs(parts.query).items()}
    assert (user, parts.netloc, parts.path) == (USER, USER, "/")
    assert (query["Action"], query["User"], query["ResourceType"]) == ("connect", USER, "ServerlessCache")
    assert (query["X-Amz-Expires"], query["X-Amz-Security-Token"]) == ("900", "session")
    assert query["X-Amz-Credential"].endswith("/us-east-1/elasticache/aws4_request")


def test_the_token_is_botocores(monkeypatch):
    """As the example of AWS's documentation makes it, with botocore's own signer."""
    from botocore.model import ServiceId
    from botocore.session import get_session
    from botocore.signers import RequestSigner

    session = get_session()
    signer = RequestSigner(
        ServiceId("elasticache"), "us-east-1", "elasticache", "v4", session.get_credentials(),
        session.get_component("event_emitter"),
    )  # fmt: skip
    url = f"https://{USER}/?Action=connect&ResourceType=ServerlessCache&User={USER}"
    theirs = signer.generate_presigned_url(
        {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}},
        operation_name="connect", expires_in=900, region_name="us-east-1",
    )  # fmt: skip
    moment = parse_qs(urlsplit(theirs).query)["X-Amz-Date"][0]
    monkeypatch.setattr(
        "serverless_django.caching.connections.utc_now",
        lambda: datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
    )

    ours = IamToken(USER).get_credentials()[1]

    assert parse_qs(ours.partition("?")[2]) == parse_qs(theirs.partition("?")[2])
