"""A password for PostgreSQL at the moment of connecting: an IAM token, or what Secrets Manager holds."""

import json
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session
    from types_boto3_secretsmanager import SecretsManagerClient

LIFETIME_SECONDS = 900
"""AWS takes a token for this long; a connection made with it lasts on."""


class MissingCredentialsError(RuntimeError):
    """There is nothing to sign a token with."""


def sign_token(*, host: str, port: int | str, user: str) -> str:
    """Return a token that lets `user` connect to `host`:`port`.  Signed here: no network.

    Raise MissingCredentialsError if the environment has no AWS credentials or region.
    """
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    credentials = _session().get_credentials()
    region = _session().get_config_variable("region")
    if credentials is None or region is None:
        raise MissingCredentialsError("no AWS credentials or region to sign a database token with; see AWS_* variables")
    request = AWSRequest("GET", f"https://{host}:{port}/", params={"Action": "connect", "DBUser": user})
    SigV4QueryAuth(credentials.get_frozen_credentials(), "rds-db", region, expires=LIFETIME_SECONDS).add_auth(request)
    return str(request.url).removeprefix("https://")


def read_password(secret_arn: str) -> str:
    """Fetch the `password` of an RDS-managed secret."""
    client: SecretsManagerClient = _session().create_client("secretsmanager")  # type: ignore[assignment]
    secret = json.loads(client.get_secret_value(SecretId=secret_arn)["SecretString"])
    return str(secret["password"])


@cache
def _session() -> "Session":
    # Kept: it renews credentials that expire, and finding them again costs more than signing.
    from botocore.session import get_session

    return get_session()
