"""Which part of a path is not Django's: a base path or a stage, cut off at a "/" only."""

from collections.abc import Mapping
from typing import Any

from mangum.types import LambdaConfig


def base_path_of(path: str, config: LambdaConfig) -> str:
    """Return the configured base path if `path` lies under it, else ""."""
    if (configured := config["api_gateway_base_path"]) == "/":
        return ""
    base_path = f"/{configured.strip('/')}"
    return base_path if _is_under(path, base_path) else ""


def stage_prefix_of(path: str, request_context: Mapping[str, Any]) -> str:
    """Return "/prod" if an HTTP API has put its stage, named in `request_context`, before `path`.

    It does so at its own address.  Behind a custom domain "/v1/books" in stage "v1" is a path of the project.
    """
    stage = request_context.get("stage")
    if stage == "$default" or not stage or not isinstance(stage, str):
        return ""
    if ".execute-api." not in str(request_context.get("domainName", ".execute-api.")):
        return ""
    return f"/{stage}" if _is_under(path, f"/{stage}") else ""


def _is_under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
