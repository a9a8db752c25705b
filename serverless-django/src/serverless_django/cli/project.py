"""The project that a command was called for: the nearest folder at or above the working folder that declares one."""

import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click

from serverless_django.deploy.project import Project


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` whose pyproject.toml has a table [tool.serverless-django].

    Raise ClickException if there is none.
    """
    for folder in (start, *start.parents):
        if _declaration(folder / "pyproject.toml") is not None:
            return folder
    raise click.ClickException(
        f"neither {start} nor a folder above it has a pyproject.toml with a table [tool.serverless-django]; "
        "call this in a project"
    )


def load_project(root: Path) -> Project:
    """Return what `project = "MODULE:NAME"` of the table in `root` names.

    Raise ClickException if it names no Project.
    """
    path = (_declaration(root / "pyproject.toml") or {}).get("project", "cdk.app:PROJECT")
    # A console script has the folder of its file on the path, and not the working folder.
    sys.path[:0] = [str(root)]
    module, _, name = path.partition(":")
    found = getattr(import_module(module), name, None)
    if not isinstance(found, Project):
        raise click.ClickException(f"[tool.serverless-django] names {path!r}, which is {found!r} and not a Project")
    return found


def current_project() -> Project:
    """Return the project of the working folder.  Raise ClickException if there is none."""
    return load_project(find_root(Path.cwd()))


def _declaration(file: Path) -> dict[str, str] | None:
    if not file.exists():
        return None
    declared: dict[str, str] | None = tomllib.loads(file.read_text()).get("tool", {}).get("serverless-django")
    return declared
