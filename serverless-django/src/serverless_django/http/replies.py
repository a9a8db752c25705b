"""ASGI response → what each gateway takes for a response, byte for byte."""

from base64 import b64encode
from functools import cache
from http import HTTPStatus
from itertools import product
from typing import Any

from mangum.types import Response

from serverless_django.http.fields import TextHeaders

COOKIE = "set-cookie"


def payload_2(response: Response) -> dict[str, Any]:
    """The reply to an HTTP API or a function URL: repeated headers are joined, cookies stand apart."""
    lines = _lines(response)
    headers = dict(lines)
    reply = {"statusCode": response["status"], "headers": headers, **_body(response)}
    if len(headers) < len(lines) or COOKIE in headers:
        grouped = _grouped(response)
        reply["cookies"] = grouped.pop(COOKIE, [])
        reply["headers"] = {name: ",".join(values) for name, values in grouped.items()}
    return reply


def payload_1(response: Response) -> dict[str, Any]:
    """The reply to a REST API: what is repeated goes to `multiValueHeaders`."""
    grouped = _grouped(response)
    return {
        "statusCode": response["status"],
        "headers": {name: values[0] for name, values in grouped.items() if len(values) == 1},
        "multiValueHeaders": {name: values for name, values in grouped.items() if len(values) > 1},
        **_body(response),
    }


def load_balancer(response: Response, *, multi_value: bool) -> dict[str, Any]:
    """Return the reply to a load balancer, with `multiValueHeaders` if `multi_value`, else with `headers`.

    A load balancer reads only one of the two, as its target group is configured.
    """
    status, grouped = response["status"], _grouped(response)
    headers = {"multiValueHeaders": grouped} if multi_value else {"headers": _once_each(grouped)}
    return {"statusCode": status, "statusDescription": _description(status), **headers, **_body(response)}


def _lines(response: Response) -> list[tuple[str, str]]:
    headers: Any = response["headers"]
    if isinstance(headers, TextHeaders):
        return headers.lines
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]


def _grouped(response: Response) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in _lines(response):
        grouped.setdefault(name, []).append(value)
    return grouped


def _once_each(grouped: dict[str, list[str]]) -> dict[str, str]:
    """Join what is repeated, except cookies: each gets its own name by its upper and lower case."""
    headers = {name: ",".join(values) for name, values in grouped.items() if name != COOKIE}
    return headers | dict(zip(_cookie_names(), grouped.get(COOKIE, ()), strict=False))


@cache
def _cookie_names() -> list[str]:
    casings = product(*(sorted({letter, letter.upper()}, reverse=True) for letter in COOKIE))
    return ["".join(letters) for letters in casings]


def _description(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _body(response: Response) -> dict[str, Any]:
    # Whatever is UTF-8 arrives the same as text, readable in logs and a third shorter than base64.
    try:
        return {"body": response["body"].decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(response["body"]).decode(), "isBase64Encoded": True}
