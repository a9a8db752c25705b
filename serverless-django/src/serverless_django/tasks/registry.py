"""A dotted path → its task.  No path can make this process import a module that is no part of the project.

`prime_tasks` imports the `tasks` module of each app beforehand.  Of other modules only those of installed
apps, and those that `lambda_app.topology` names, are imported when a path leads there.
"""

# Django's Task is generic for the type checker only.
from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from django.apps import apps
from django.tasks import Task

from serverless_django.conf import topology
from serverless_django.contract.task_message import InvalidTaskMessageError


def load_task(path: str, *, message_id: str = "") -> Task[Any, Any]:
    """Return the task at `path`, such as "shop.tasks.send_receipt".

    Raise InvalidTaskMessageError, which names `message_id`, if no task is there or its module cannot be imported.
    """
    found = _find(path)
    if found is None and path.rpartition(".")[0] not in sys.modules:
        _import(path.rpartition(".")[0], f"message {message_id} calls {path!r}")
        found = _find(path)
    if found is None:
        raise InvalidTaskMessageError(f"message {message_id} calls {path!r}, which does not exist")
    if not isinstance(found, Task):
        # Only tasks may be called from a queue: a message must never be able to name any function.
        raise InvalidTaskMessageError(f"message {message_id} calls {path!r}, which is not a task")
    return found


def loaded_task(path: str) -> Task[Any, Any] | None:
    """Return the task at `path` if its module is imported already."""
    found = _find(path)
    return found if isinstance(found, Task) else None


def _find(path: str) -> Any:
    module_path, _, name = path.rpartition(".")
    module: object = sys.modules.get(module_path)
    # Not by getattr: a module may answer that with its own import.
    return vars(module).get(name) if isinstance(module, ModuleType) else None


def _import(module_path: str, what: str) -> None:
    if not any(module_path == name or module_path.startswith(f"{name}.") for name in _importable()):
        raise InvalidTaskMessageError(
            f"{what}, which does not exist in an installed app; import its module in the tasks.py of an app"
        )
    try:
        import_module(module_path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # A module may raise anything while it is imported, SystemExit too: only its own calls fail.
        reason = "which does not exist" if isinstance(error, ImportError) else "whose module cannot be imported"
        raise InvalidTaskMessageError(f"{what}, {reason}: {type(error).__name__}") from error


def _importable() -> Iterator[str]:
    yield from (config.name for config in apps.get_app_configs())
    declared = topology()
    for declarations in (declared.object_triggers, declared.every_schedule):
        yield from (declaration.task.rpartition(".")[0] for declaration in declarations)
