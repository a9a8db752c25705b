"""Which part of a path is not Django's: a base path or a stage, cut off at a "/" only."""

from collections.abc import Mapping
from typing import Any

from mangum.types import LambdaConfig


def base_path_of(path: str, config: LambdaConfig) -> str:
    """Return the configured base path if `path` lies under it, else ""."""
    base_path = f"/{config['api_gateway_base_path'].strip('/')}"
    return base_path if base_path != "/" and _is_under(path, base_path) else ""


def stage_prefix_of(path: str, request_context: Mapping[str, Any]) -> str:
    """Return "/prod" if an HTTP API has put the name of its stage before the path.

    It does so at its own address; behind a domain of yours "/v1/feed" in stage "v1" is a path of yours.
    """
    stage, domain_name = request_context.get("stage"), request_context.get("domainName", ".execute-api.")
    if not isinstance(stage, str) or stage in ("", "$default") or ".execute-api." not in str(domain_name):
        return ""
    return f"/{stage}" if _is_under(path, f"/{stage}") else ""


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
