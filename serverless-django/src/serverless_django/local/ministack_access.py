"""Who may call the emulated AWS: callers that sign with the keys of this start, or with those of a role.

MiniStack takes the keys "test", every account number and no keys at all for the account's root, whose signature it
does not look at.  Imported by `serverless_django.local.ministack_glue`, which asserts the version.
"""

import os
import secrets
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, s3, ses, sts

from serverless_django.local.port_guard import Guarded, Message, Refusal, foreign_host, foreign_request, headers_of

UNSIGNED = {
    ("GET", "_ministack", "health"): "the launcher asks whether it has started",
    ("GET", "_ministack", "lambda-code"): "links to deployed code, as GetFunction returns them",
    ("PUT", "_ministack", "cfn-response"): "answers of custom resources, to an address with a token",
}
"""Paths of MiniStack's own that are open; all others, such as /_ministack/reset, are closed."""

_has_form: ContextVar[bool] = ContextVar("has_form", default=False)


def _find_refusal(scope: Message) -> Refusal | None:
    """Return the status and the reason with which the request of `scope` is refused, or None if it is admitted."""
    headers = headers_of(scope)
    _has_form.set(_is_form(scope, headers))
    if _has_form.get():
        # A page of any site may send the form that was signed for it.
        return foreign_host(headers)
    if refusal := foreign_request(headers):
        return refusal
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if scope["path"].startswith("/_"):
        is_known = (scope["method"], *scope["path"].split("/")[1:3]) in UNSIGNED
    else:
        is_known = headers.get("authorization", "").startswith("AWS4-") or "X-Amz-Signature" in query
    return None if is_known else (403, "a request should be signed with the keys of this start")


def _is_form(scope: Message, headers: Mapping[str, str]) -> bool:
    is_bucket = "/" not in scope["path"].strip("/") and not scope["query_string"] and "authorization" not in headers
    return scope["method"] == "POST" and is_bucket and headers.get("content-type", "").startswith("multipart/form-data")


app.app = Guarded(app.app, _find_refusal)

# --- The account's root: its keys alone, and its signature is verified ------------------------------------------------

iam_evaluator.is_root_access_key = lambda key: key == os.environ["AWS_ACCESS_KEY_ID"]
iam_evaluator._is_root_key = lambda key: False  # those whose signature is not verified


# --- A form is judged by the signature in it, and refused without one -------------------------------------------------


def _judge(access_key: str, action: str, service: str, *more: Any, **named: Any) -> Any:
    if _has_form.get() and (access_key, action) == ("", "s3:PutObject"):
        return None  # S3 judges again, by the keys that have signed the form
    return _enforce(access_key, action, service, *more, **named)


_enforce = iam_evaluator.enforce
iam_evaluator.enforce = _judge


def _refuse_unsigned_form(policy: str, size: int) -> Any:
    return s3._error("AccessDenied", "Access Denied", 403)


s3._enforce_post_policy_size = _refuse_unsigned_form


# --- Keys of CDK's own functions, which MiniStack makes from their names ----------------------------------------------


def _unguessable_credentials(configuration: dict[str, Any]) -> dict[str, str]:
    with _one_at_a_time:
        session = sts._sessions.pop(_credentials_by_name(configuration)["AWS_ACCESS_KEY_ID"])
    key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60)
    sts.register_session(key, session | {"SecretAccessKey": secret, "SessionToken": token})
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


_one_at_a_time = threading.Lock()
_credentials_by_name = lambda_runtime.execution_credentials
lambda_runtime.execution_credentials = lambda_svc.execution_credentials = _unguessable_credentials


# --- An e-mail is judged by the identity that sends it; MiniStack judges it by all identities -------------------------


def _sender_or_resource(method: str, path: str, body: bytes, region: str, account: str) -> str:
    if (method, path.rstrip("/")) != ("POST", "/v2/email/outbound-emails"):
        return str(_resource_of_ses(method, path, body, region, account))
    address = parseaddr(iam_actions._safe_json_field(body, "FromEmailAddress"))[1]
    # SES takes the address if it is its own identity, else its domain.
    name = next((name for name in (address, address.partition("@")[2]) if name in ses._identities), address)
    return f"arn:aws:ses:{region}:{account}:identity/{name}" if name else "*"


_resource_of_ses = iam_actions._ses_v2_resource_arn
iam_actions._ses_v2_resource_arn = _sender_or_resource
