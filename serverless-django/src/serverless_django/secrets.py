"""The secrets of a stage → `os.environ`, before the project's settings are loaded.

They are fetched from Secrets Manager in one call while Lambda initialises, and again after a SnapStart restore.
No value stands in a function's configuration, in a template or in a log.
"""

import json
import os
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from serverless_django.contract.environment import variable_of
from serverless_django.presigning import endpoint_of, find_signer, utc_now

SECRET_KEY, FALLBACKS = "SECRET_KEY", "SECRET_KEY_FALLBACKS"

TIMEOUT_SECONDS = 3
ATTEMPTS = 2


class MissingSecretError(RuntimeError):
    """A secret that the stage declares has no value."""


def load_secrets(variables: MutableMapping[str, str] = os.environ) -> None:
    """Put the secrets that the deploy names in `variables` there, under their own names.

    Raise MissingSecretError, naming every one, if a declared secret has no value.
    """
    ids = json.loads(variables.get(variable_of("secret_ids"), "[]"))
    if not ids:
        return
    names = json.loads(variables.get(variable_of("secret_names"), "[]"))
    values = read_secrets(ids, url=endpoint_of("secrets_manager") or variables[variable_of("secrets_url")])
    if missing := sorted(set(names) - set(values)):
        stage = variables.get(variable_of("stage"), "NAME")
        raise MissingSecretError(
            f"stage {stage!r} declares secrets without a value: {', '.join(missing)}; "
            f"set each by `serverless-django secrets set {missing[0]} --stage {stage}`"
        )
    variables.update({name: values[name] for name in (*names, SECRET_KEY, FALLBACKS) if name in values})


def read_secrets(ids: Iterable[str], *, url: str) -> dict[str, str]:
    """Return the keys and values of all secrets in `ids` that exist, fetched in one call from the service at `url`.

    Raise MissingSecretError if Secrets Manager does not answer, or refuses one that exists.
    """
    answer = _call(url, {"SecretIdList": list(ids)})
    for error in answer.get("Errors", []):
        if error["ErrorCode"] != "ResourceNotFoundException":
            raise MissingSecretError(f"secret {error['SecretId']}: {error['ErrorCode']}: {error.get('Message', '')}")
    values: dict[str, str] = {}
    for secret in answer["SecretValues"]:
        values |= _decoded(json.loads(secret["SecretString"]))
    return values


def _call(url: str, request: Mapping[str, Any]) -> Any:
    # By hand: botocore would take 160 ms of each cold start, most of what Django itself takes.
    body = json.dumps(request).encode()
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.BatchGetSecretValue"}
    signed = find_signer().sign_post(url, service="secretsmanager", headers=headers, body=body, now=utc_now())
    for attempt in range(ATTEMPTS):
        try:
            with urlopen(Request(url, data=body, headers=signed), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                raise MissingSecretError(f"Secrets Manager answers {error.code}: {error.read()[:500]!r}") from error
        except OSError as error:
            if attempt == ATTEMPTS - 1:
                raise MissingSecretError(f"Secrets Manager at {url} does not answer: {error}") from error
    raise AssertionError


def _decoded(secret: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in secret.items()}


def provide_urls(variables: MutableMapping[str, str] = os.environ) -> None:
    """Set in `variables` what settings that use django-environ read, such as DATABASE_URL, where it is not set."""
    told = {name: variables.get(variable_of(name), "") for name in ("database_host", "cache_url", "allowed_hosts")}
    if not told["database_host"]:
        return
    user, name = variables[variable_of("database_user")], variables[variable_of("database_name")]
    port = variables.get(variable_of("database_port"), "5432")
    variables.setdefault("DATABASE_URL", f"postgres://{user}@{told['database_host']}:{port}/{name}")
    variables.setdefault("ALLOWED_HOSTS", ",".join(json.loads(told["allowed_hosts"])))
    if told["cache_url"]:
        variables.setdefault("CACHE_URL", told["cache_url"])
