"""What a deployment, or a laptop, must set in a project's settings, and nothing else.

The last lines of a settings module:

    from serverless_django.settings import deployed

    deployed(globals())

Whatever else the project says of its middleware, apps, templates, caches, storages and logging stays as it is.
"""

import json
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serverless_django.conf import topology_of
from serverless_django.contract.environment import Environment
from serverless_django.contract.resources import Bucket, Topology
from serverless_django.postgresql import RDS_CA_BUNDLE
from serverless_django.secrets import FALLBACKS, SECRET_KEY

BACKEND = "serverless_django.postgresql"
SQS_BACKEND = "serverless_django.tasks.backend.SqsBackend"
IMMEDIATE_BACKEND = "serverless_django.tasks.in_process.ImmediateBackend"
S3_STORAGE = "serverless_django.s3.storage.S3Storage"
CLAIMS_MIDDLEWARE = "serverless_django.http.middleware.ClaimsMiddleware"
BEARER_MIDDLEWARE = "serverless_django.identity.middleware.BearerTokenMiddleware"

IMMUTABLE = "public, max-age=31536000, immutable"

LOCAL_HOSTS = ["localhost", "127.0.0.1", "testserver"]


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is not as the project wrote it."""

    name: str
    value: Any
    reason: str


def deployed(settings: MutableMapping[str, Any]) -> None:
    """Change `settings`, the namespace of a settings module, to what this deployment needs.

    Raise InvalidEnvironmentError, naming every variable, if the deploy forgot one.
    """
    _apply(settings, deployed_changes(settings, Environment.read()))


def local(settings: MutableMapping[str, Any]) -> None:
    """Change `settings` for commands and tests on a developer's machine, without AWS.

    The database is that of libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD).
    With AWS_ENDPOINT_URL tasks and objects go to that AWS; otherwise a task runs where it is
    enqueued, and objects are files of a temporary folder.
    """
    _apply(settings, local_changes(settings, os.environ))


def deployed_changes(settings: Mapping[str, Any], env: Environment) -> list[Change]:
    """Return what `deployed` changes in `settings` where the deployment is `env`."""
    # Powertools, which the handler of LOGGING needs, loads when functions start and not for local commands.
    from serverless_django.observability.logs import json_logging

    topology = topology_of(settings.get("SERVERLESS", {}))
    hosts = list(env.allowed_hosts)
    origins = [f"https://{host}" for host in hosts]
    return [
        Change("DEBUG", False, "a page with tracebacks and settings must not reach clients"),
        Change("ALLOWED_HOSTS", _joined(hosts, settings.get("ALLOWED_HOSTS")), "the API's own host names"),
        Change("CSRF_TRUSTED_ORIGINS", _joined(origins, settings.get("CSRF_TRUSTED_ORIGINS")), "the API's own origins"),
        Change(
            "SECURE_PROXY_SSL_HEADER",
            ("HTTP_X_FORWARDED_PROTO", "https"),
            "TLS ends at the gateway, which says so in this header and lets no client say it",
        ),
        Change("LOGGING", json_logging(settings.get("LOGGING")), "one line of JSON for each record, for CloudWatch"),
        Change("DATABASES", _databases(settings, deployed_database(env)), "RDS Proxy, with one lasting connection"),
        Change("TASKS", _tasks(settings, topology, env.task_queue_urls, env.queue_prefix), "tasks are sent to SQS"),
        Change("BUCKET_NAMES", dict(env.bucket_names), "names in S3 of the topology's buckets"),
        Change("STORAGES", _storages(settings, _s3_storages(topology, env)), "the topology's buckets"),
        Change("MEMBER_WRITES_PER_MINUTE", env.member_writes_per_minute, "a key of the stage"),
        Change("ADDRESS_WRITES_PER_MINUTE", env.address_writes_per_minute, "a key of the stage"),
        Change(
            "PROXIES_BEFORE_GATEWAY", int(bool(env.origin_secret_arn)), "the gateway takes CloudFront for the client"
        ),
        *_key_changes(os.environ),
        *_cache_changes(settings, env),
        *_token_changes(settings, env),
    ]


def local_changes(settings: Mapping[str, Any], variables: Mapping[str, str]) -> list[Change]:
    """Return what `local` changes in `settings` where `variables` is the environment."""
    topology = topology_of(settings.get("SERVERLESS", {}))
    endpoint = variables.get("AWS_ENDPOINT_URL", "")
    names = {bucket.name: bucket.name for bucket in topology.buckets}
    return [
        Change("ALLOWED_HOSTS", _joined(LOCAL_HOSTS, settings.get("ALLOWED_HOSTS")), "this machine"),
        Change("DATABASES", _databases(settings, local_database(variables)), "libpq's variables name the server"),
        Change("TASKS", _local_tasks(settings, topology, endpoint), "AWS_ENDPOINT_URL, or this process"),
        Change("BUCKET_NAMES", names, "names of the topology's buckets"),
        Change(
            "STORAGES", _storages(settings, _local_storages(topology, names, endpoint)), "AWS_ENDPOINT_URL, or files"
        ),
    ]


def deployed_database(env: Environment) -> dict[str, Any]:
    """Return `DATABASES["default"]` of a deployed function, from its environment `env`."""
    return {
        "ENGINE": BACKEND,
        "HOST": env.database_host,
        "PORT": env.database_port,
        "NAME": env.database_name,
        "USER": env.database_user,
        # Kept without limit: the connection belongs to the environment, and the backend looks at its
        # socket before each request, because it may have died while Lambda was frozen.
        "CONN_MAX_AGE": None,
        # A cursor on the server would pin the session to one connection of RDS Proxy.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": env.database_connect_timeout_seconds,
            # Milliseconds until bytes without an acknowledgement count as a lost connection.
            "tcp_user_timeout": 3000,
            "sslmode": "verify-full",
            "sslrootcert": env.database_ca_bundle or RDS_CA_BUNDLE,
            "secret_arn": env.database_secret_arn,
            "iam": not env.database_secret_arn,
            "pinning_statements": env.pinning_statements,
        },
    }


def local_database(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return `DATABASES["default"]` of a command or a test on a developer's machine, from its `variables`."""
    return {
        "ENGINE": BACKEND,
        "HOST": variables.get("PGHOST", ""),
        "PORT": variables.get("PGPORT", ""),
        "NAME": variables.get("PGDATABASE", "app"),
        "USER": variables.get("PGUSER", ""),
        "PASSWORD": variables.get("PGPASSWORD", ""),
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"pinning_statements": "refuse", "connect_timeout": 3},
    }


def _apply(settings: MutableMapping[str, Any], changes: list[Change]) -> None:
    settings["SERVERLESS_CHANGES"] = [
        (change.name, settings.get(change.name), change.value, change.reason)
        for change in changes
        if settings.get(change.name) != change.value
    ]
    settings.update({change.name: change.value for change in changes})


def _joined(ours: list[str], theirs: Any) -> list[str]:
    return [*ours, *(item for item in theirs or () if item not in ours)]


CONNECTION_KEYS = ("ENGINE", "HOST", "PORT", "NAME", "USER", "PASSWORD", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS",
                   "DISABLE_SERVER_SIDE_CURSORS", "OPTIONS")  # fmt: skip


def _databases(settings: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return DATABASES with the project's other aliases, and what its default says beside where the server is."""
    theirs: Mapping[str, Any] = settings.get("DATABASES") or {}
    kept = {key: value for key, value in theirs.get("default", {}).items() if key not in CONNECTION_KEYS}
    return {**theirs, "default": {**kept, **ours}}


def _tasks(
    settings: Mapping[str, Any], topology: Topology, urls: Mapping[str, str], prefix: str = ""
) -> dict[str, Any]:
    names = [queue.name for queue in topology.task_queues]
    ours = {"BACKEND": SQS_BACKEND, "QUEUES": names, "OPTIONS": {"queue_urls": dict(urls), "queue_prefix": prefix}}
    return {**(settings.get("TASKS") or {}), "default": ours}


def _local_tasks(settings: Mapping[str, Any], topology: Topology, endpoint: str) -> dict[str, Any]:
    names = [queue.name for queue in topology.task_queues]
    if endpoint:
        urls = {
            queue.name: f"{endpoint}/000000000000/{queue.name}{'.fifo' * queue.fifo}" for queue in topology.task_queues
        }
        return _tasks(settings, topology, urls)
    ours = {"BACKEND": IMMEDIATE_BACKEND, "QUEUES": names}
    return {**(settings.get("TASKS") or {}), "default": ours}


def _storages(settings: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    return {**(settings.get("STORAGES") or {}), **ours}


def storage_options(topology: Topology, bucket: Bucket, *, name: str, domain: str = "") -> dict[str, Any]:
    """Return the OPTIONS of the storage of `bucket`, whose name in S3 is `name`; `domain` is the CDN in front of it."""
    options: dict[str, Any] = {"bucket_name": name}
    if prefixes := topology.trigger_prefixes(bucket.name):
        options["trigger_prefixes"] = prefixes
    if bucket.immutable:
        # As an attachment: a browser that follows a link to the object saves it, and runs no script in it.
        options["object_parameters"] = {"CacheControl": IMMUTABLE, "ContentDisposition": "attachment"}
    if domain:
        options["custom_domain"] = domain
    return options


def _s3_storages(topology: Topology, env: Environment) -> dict[str, Any]:
    return {
        bucket.name: {
            "BACKEND": S3_STORAGE,
            "OPTIONS": storage_options(topology, bucket, name=env.bucket_names[bucket.name],
                                       domain=env.bucket_domains.get(bucket.name, "")),
        }
        for bucket in topology.buckets
        if bucket.name in env.bucket_names
    }  # fmt: skip


def _local_storages(topology: Topology, names: Mapping[str, str], endpoint: str) -> dict[str, Any]:
    if endpoint:
        return {
            bucket.name: {"BACKEND": S3_STORAGE, "OPTIONS": storage_options(topology, bucket, name=names[bucket.name])}
            for bucket in topology.buckets
        }
    folder = Path(tempfile.gettempdir()) / "serverless-django"
    return {
        name: {
            "BACKEND": "serverless_django.s3.storage.FolderStorage",
            "OPTIONS": {"location": folder / name, "base_url": f"/objects/{name}/", "allow_overwrite": True},
        }
        for name in names
    }


def _key_changes(variables: Mapping[str, str]) -> list[Change]:
    if SECRET_KEY not in variables:
        return []
    fallbacks = json.loads(variables.get(FALLBACKS, "[]"))
    reason = "generated by the deploy, read from Secrets Manager"
    return [Change(SECRET_KEY, variables[SECRET_KEY], reason), Change(FALLBACKS, fallbacks, reason)]


def _cache_changes(settings: Mapping[str, Any], env: Environment) -> list[Change]:
    if not env.cache_url:
        return []
    ours = {
        "BACKEND": "serverless_django.caching.valkey.ValkeyCache",
        "LOCATION": env.cache_url,
        # With a number that changes with what is stored: during a deploy two releases share the cache.
        "KEY_PREFIX": f"{env.stage}:2",
        "OPTIONS": {
            "iam_name": env.cache_name,
            **({"ssl_ca_certs": env.cache_ca_bundle} if env.cache_ca_bundle else {}),
        },
    }
    return [
        Change("CACHES", {**(settings.get("CACHES") or {}), "default": ours}, "the stage has a cache"),
        Change("THROTTLE_STORE", "cache", "the stage has a cache"),
    ]


def _token_changes(settings: Mapping[str, Any], env: Environment) -> list[Change]:
    """Without an authorizer of API Gateway in front, Django verifies the tokens itself."""
    if not env.token_issuer:
        return []
    middleware = [BEARER_MIDDLEWARE if name == CLAIMS_MIDDLEWARE else name for name in settings.get("MIDDLEWARE", ())]
    tokens = {
        "ISSUER": env.token_issuer,
        "AUDIENCE": env.token_audience,
        "KEYS_URL": env.token_keys_url,
        "ALGORITHMS": env.token_algorithms,
    }
    reason = "no authorizer has looked at the token"
    return [Change("MIDDLEWARE", middleware, reason), Change("BEARER_TOKENS", tokens, reason)]
