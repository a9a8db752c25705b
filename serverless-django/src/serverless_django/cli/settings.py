"""What the library changes in a project's settings, as a table."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

HIDDEN = ("SECRET", "PASSWORD", "TOKEN", "KEY")


def print_changes(root: Path, module: str) -> None:
    """Print each setting of the settings `module` below `root` that the library changes: name, old value, new value,
    reason.
    """
    sys.path[:0] = [str(root)]
    changes = getattr(import_module(module), "SERVERLESS_CHANGES", None)
    if changes is None:
        raise click.ClickException(f"{module} calls neither deployed(globals()) nor local(globals())")
    for name, before, after, reason in changes:
        click.echo(f"{name}: {reason}")
        click.echo(f"  - {_shown(name, before)}")
        click.echo(f"  + {_shown(name, after)}")


def _shown(name: str, value: Any) -> str:
    if any(part in name for part in HIDDEN) and value:
        return "(hidden)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_shown(str(key).upper(), item)}" for key, item in value.items()) + "}"
    return repr(value)
