"""A password for PostgreSQL at the moment of connecting: an IAM token, or what Secrets Manager holds."""

import json
from typing import TYPE_CHECKING

from serverless_django.presigning import find_signer, session, utc_now

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

LIFETIME_SECONDS = 900
"""AWS takes a token for this long; a connection made with it lasts on."""


def sign_token(*, host: str, port: int | str, user: str) -> str:
    """Return a token that lets `user` connect to `host`:`port`.  Signed here: no network.

    Raise MissingCredentialsError if the environment has no AWS credentials or region.
    """
    url = find_signer().presign(
        f"https://{host}:{port}/",
        service="rds-db",
        parameters={"Action": "connect", "DBUser": user},
        expires_in_seconds=LIFETIME_SECONDS,
        now=utc_now(),
    )
    return url.removeprefix("https://")


def read_password(secret_arn: str) -> str:
    """Return the `password` of the secret `secret_arn`, which RDS manages."""
    client: SecretsManagerClient = session().create_client("secretsmanager")  # type: ignore[assignment]
    secret = json.loads(client.get_secret_value(SecretId=secret_arn)["SecretString"])
    return str(secret["password"])
