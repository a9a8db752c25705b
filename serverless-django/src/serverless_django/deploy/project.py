"""A project as one value: everything that the deploy, the laptop and the command line know of it."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from serverless_django.contract.resources import Topology
from serverless_django.deploy.config.stage import InvalidStageError, Stage

LOCAL = "local"
"""The stage that a laptop deploys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What `cdk/app.py` declares."""

    name: str
    """First part of the names of all stacks, such as "bookshop", and the audience of its tokens."""

    root: Path
    """Folder with pyproject.toml, uv.lock and the folders of `source`."""

    topology: Topology

    stages: Sequence[Stage]

    source: tuple[str, ...] = ("lambda_app",)
    """Folders below `root` whose modules are deployed."""

    not_deployed: tuple[str, ...] = ("*/manage.py", "*/settings/local.py")
    """Patterns of files below `root` that only a developer's machine runs."""

    handlers: str = "lambda_app.handlers"
    """Package with the modules `api_gateway`, `sqs`, `s3` and `management`, each with a `handler`."""

    settings: str = "lambda_app.settings.deployed"
    """Settings module of the deployed functions."""

    local_settings: str = "lambda_app.settings.local"
    """Settings module of commands and tests on a developer's machine."""

    bundle_hook: str = ""
    """Dotted path of a function that is called with the folder of each bundle before it is deployed, to add files."""

    aws_services: tuple[str, ...] = ()
    """Services whose boto3 clients a dependency makes, such as "ses"; those that `source` names itself are found."""

    secret_key: bool = True
    """Whether the deploy generates Django's SECRET_KEY.  False for an API without sessions, forms or signing."""

    additions: str = ""
    """Dotted path of a function that is called with the finished application stack, to add resources and grants."""

    def stage(self, name: str | None) -> Stage:
        """Return the stage called `name`.  Raise InvalidStageError if there is none: a deploy never guesses one."""
        for stage in self.stages:
            if stage.name == name:
                return dataclasses.replace(stage, project=self.name)
        names = ", ".join(stage.name for stage in self.stages)
        raise InvalidStageError(f"pass -c stage=NAME, one of {names}; got {name!r}")


def imported(path: str) -> Callable[[Any], None]:
    """Return the function at the dotted `path`.  Raise ImportError if there is none."""
    module, _, name = path.rpartition(".")
    function: Callable[[Any], None] | None = getattr(import_module(module), name, None)
    if function is None:
        raise ImportError(f"{path!r} names no function; {module} has no {name}")
    return function


def pascal_case(name: str) -> str:
    """Return `name`, such as "dead-letters", as CloudFormation's ids need it: "DeadLetters"."""
    return "".join(part.capitalize() for part in name.split("-"))
