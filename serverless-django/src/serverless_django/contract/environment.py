"""The environment variables that `cdk/` writes and `settings/` reads, as one typed value."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from types import MappingProxyType
from typing import Any, Self

PREFIX = "SERVERLESS_"
"""What the name of each variable begins with, so that none of a project's own can be mistaken for it."""

APPLICATION_ROLE = "app"
"""The database role of every function but the management function, which creates it."""

CACHE_ACCESS = "on ~* resetchannels -@all +get +set +del +exists +incrby +pexpire +persist +flushdb +cluster|slots"
"""What the functions may do in the cache, as its access control list says it: what `serverless/caching` sends."""

ORIGIN_SECRET_HEADER = "x-origin-secret"  # noqa: S105 (the name, not the value)
"""What CloudFront adds to each request, where there is a CloudFront."""


class InvalidEnvironmentError(ValueError):
    """An environment variable is missing or cannot be decoded."""


def _decode_mapping(text: str) -> Mapping[str, str]:
    value = json.loads(text)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError(text)
    return value


def _decode_list(text: str) -> tuple[str, ...]:
    value = json.loads(text)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(text)
    return tuple(value)


DECODERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    Mapping[str, str]: _decode_mapping,
    tuple[str, ...]: _decode_list,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One field per variable: `stage` is written and read as `SERVERLESS_STAGE`."""

    stage: str
    """Name of this deployment, such as "dev" or "prod"."""

    allowed_hosts: tuple[str, ...]
    """Host names that the API answers to; Django refuses every other."""

    database_host: str
    """Host name of the RDS Proxy endpoint; of the database itself for the management function."""

    database_name: str

    database_user: str

    task_queue_urls: Mapping[str, str]
    """URL of the SQS queue behind each queue of `lambda_app.topology`."""

    bucket_names: Mapping[str, str]
    """Name in S3 of each bucket of `lambda_app.topology`."""

    queue_prefix: str = ""
    """What the names of this stage's task queues begin with, also of those that a deploy kept.  Empty: none is kept."""

    bucket_domains: Mapping[str, str] = MappingProxyType({})
    """Domain of the CDN in front of a bucket; links to objects of the others are signed."""

    database_secret_arn: str = ""
    """Secrets Manager secret with the `password` of `database_user`.  Empty: sign an IAM token instead."""

    database_port: int = 5432

    database_connect_timeout_seconds: int = 3

    cache_url: str = ""
    """URL of Valkey, such as "rediss://host:6379".  Empty: nothing is cached."""

    cache_name: str = ""
    """Name of the ElastiCache cache at `cache_url`, and of its user, as whom functions sign in with an IAM token.

    Empty: they sign in with what stands in the URL, or not at all.
    """

    cache_ca_bundle: str = ""
    """PEM file that the certificate of the cache is verified against.  Empty: the system's."""

    pinning_statements: str = "report"
    """What becomes of a statement that would pin its session of RDS Proxy: "refuse", "report" or "allow"."""

    origin_secret_arn: str = ""
    """Secrets Manager secret that ORIGIN_SECRET_HEADER must carry.  Empty: requests come straight to the API."""

    member_writes_per_minute: int = 0
    """How often a member may write.  0: as often as they like."""

    address_writes_per_minute: int = 0
    """How often an address may.  Many phones share one behind a carrier."""

    token_issuer: str = ""
    """Issuer whose bearer tokens Django verifies itself.  Empty: an authorizer of API Gateway stands in front."""

    token_audience: tuple[str, ...] = ()
    """A token of `token_issuer` is taken if its `aud`, or its `client_id` without one, is among these."""

    token_keys_url: str = ""
    """Key set of `token_issuer`.  Empty: where most have it, at /.well-known/jwks.json."""

    token_algorithms: tuple[str, ...] = ("RS256", "ES256")
    """Signatures that are taken; a token has no say in it."""

    secret_ids: tuple[str, ...] = ()
    """Secrets Manager secrets whose keys become environment variables before settings are loaded."""

    secrets_url: str = ""
    """Address of Secrets Manager, such as "https://secretsmanager.eu-central-1.amazonaws.com"."""

    secret_names: tuple[str, ...] = ()
    """Keys of those secrets that the project's settings read."""

    database_ca_bundle: str = ""
    """PEM file that the server's certificate is verified against.  Empty: the certificates of Amazon RDS."""

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Decode `variables`, reporting every fault at once.

        Raise InvalidEnvironmentError if a variable without a default is missing
        or any variable cannot be decoded.
        """
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field in fields(cls):
            name = variable_of(field.name)
            if name not in variables:
                if _is_required(field):
                    faults.append(f"{name} is not set")
                continue
            try:
                values[field.name] = DECODERS[field.type](variables[name])
            except ValueError:
                faults.append(f"{name} should be {_type_name(field)}, got {variables[name]!r}")
        if faults:
            raise InvalidEnvironmentError("; ".join(faults))
        return cls(**values)

    @classmethod
    def read_field(cls, name: str, variables: Mapping[str, str] = os.environ) -> Any:
        """Decode the variable of the field `name` alone, such as "origin_secret_arn", or return the field's default.

        `variables` are those of the process, by their names in upper case.

        Raise KeyError if the field has neither a variable nor a default.
        """
        [field] = [field for field in fields(cls) if field.name == name]
        if name.upper() not in variables and not _is_required(field):
            return field.default
        return DECODERS[field.type](variables[name.upper()])

    def variables(self) -> dict[str, str]:
        """Encode as the variables that `read` decodes, leaving out those at their default."""
        return {
            variable_of(field.name): _encode(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }


def variable_of(field: str) -> str:
    """Return the name of the variable that holds `field`."""
    return PREFIX + field.upper()


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING


def _type_name(field: Field[Any]) -> str:
    return field.type.__name__ if isinstance(field.type, type) else str(field.type).replace("collections.abc.", "")


def _encode(value: str | int | Mapping[str, str] | tuple[str, ...]) -> str:
    return str(value) if isinstance(value, str | int) else json.dumps(value, separators=(",", ":"))
