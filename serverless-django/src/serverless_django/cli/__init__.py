"""`serverless-django [NOUN] VERB --stage NAME`: the command line.

Each command imports what it needs when it runs, so that none pays for another.
"""

import asyncio
import contextlib
import shutil
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from serverless_django.cli.project import current_project, find_root
from serverless_django.cli.secrets import secrets

HIDDEN = ("SECRET", "PASSWORD", "TOKEN", "KEY")
"""Parts of the names of settings whose values are not printed."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="serverless-django")
def commands() -> None:
    """Run, deploy and operate a Django project on AWS Lambda."""


@commands.command()
@click.option("--port", default=8000, show_default=True, help="Port of the API; 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print lines for programs.")
@click.option("--as-deployed", is_flag=True, help="Let edits wait for a deploy.")
def run(port: int, as_json: bool, as_deployed: bool) -> None:
    """Start the whole system on this machine and serve until Ctrl-C or SIGTERM."""
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(_serve(port, as_json=as_json, follows_edits=not as_deployed))


async def _serve(port: int, *, as_json: bool, follows_edits: bool) -> None:
    from serverless_django.local.cloud import Cloud
    from serverless_django.local.terminal import Printer, announce, obey_keys, paint_of

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    printer = Printer(as_json, paint_of(sys.stdout))
    cloud = Cloud(
        project=current_project(), port=port,
        # Next to the API's: two systems on one machine have two consoles.
        console_port=port + 1 if port else 0, follows_edits=follows_edits,
        on_exchange=printer.exchange, on_invocation=printer.invocation,
    )  # fmt: skip
    async with cloud.running():
        announce(cloud)
        await obey_keys(cloud)


@commands.command()
@click.option("--stage", required=True, help="Name of a stage of cdk/stages.py.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def deploy(stage: str, arguments: tuple[str, ...]) -> None:
    """Deploy one stage: to AWS, or with `--stage local` to the running system on this machine.

    Further ARGUMENTS are passed to `cdk deploy`.
    """
    from serverless_django.deploy.node import run_cdk
    from serverless_django.local.running import RunningCloud

    if stage == "local":
        RunningCloud.find(_state()).deploy()
    else:
        raise SystemExit(run_cdk(current_project(), stage, "deploy", "--all", *arguments))


@commands.command()
@click.option("--stage", required=True, help="Name of a stage of cdk/stages.py.")
def synth(stage: str) -> None:
    """Write the templates of one stage to cdk.out, and run every check on them."""
    from serverless_django.deploy.node import run_cdk

    raise SystemExit(run_cdk(current_project(), stage, "synth", "--quiet", "--strict"))


@commands.command()
@click.option("--stage", required=True, help="Name of a stage of cdk/stages.py.")
def cost(stage: str) -> None:
    """Print what one stage costs a month while it serves no request, by line."""
    from serverless_django.deploy.cost.report import print_cost
    from serverless_django.deploy.node import run_cdk

    project = current_project()
    if status := run_cdk(project, stage, "synth", "--quiet", "--strict"):
        raise SystemExit(status)
    print_cost(project.root / "cdk.out")


@commands.command()
def reset() -> None:
    """Delete what the system on this machine has stored: rows, objects, messages, logs."""
    from serverless_django.local.running import RunningCloud

    if RunningCloud.is_there(_state()):
        raise click.ClickException("the system is running; stop it first")
    shutil.rmtree(_state(), ignore_errors=True)


@commands.command()
@click.argument("subject")
def token(subject: str) -> None:
    """Print a bearer token for SUBJECT that the system on this machine takes."""
    from serverless_django.local.running import RunningCloud

    click.echo(RunningCloud.find(_state()).issue_token(subject))


@commands.command()
def keys() -> None:
    """Print the variables with which the AWS CLI reaches the emulated AWS of this machine."""
    from serverless_django.local.running import RunningCloud

    cloud = RunningCloud.find(_state())
    for name, value in {**cloud.credentials, "AWS_ENDPOINT_URL": cloud.endpoint}.items():
        click.echo(f"export {name}={value}")


@commands.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run Django's management command ARGUMENTS against the running system, with the deployed settings."""
    from serverless_django.local.running import RunningCloud

    RunningCloud.find(_state()).manage(arguments, settings=current_project().settings)


@commands.command()
@click.argument("event", type=click.Path(path_type=Path))
def invoke(event: Path) -> None:
    """Run the sample event at the path EVENT through the handler that its folder names."""
    from serverless_django.local.invoke import invoke_sample

    raise SystemExit(invoke_sample(current_project(), event))


@commands.command()
@click.argument("id_", metavar="[ID]", default="")
@click.option("--json", "as_json", is_flag=True, help="Print lines for programs.")
def logs(id_: str, as_json: bool) -> None:
    """Follow the log of every function, or print the lines with the X-Request-Id ID."""
    from serverless_django.local.terminal import tail

    with contextlib.suppress(KeyboardInterrupt):
        tail(_state() / "logs", id_, as_json=as_json)


@commands.command()
def migrations() -> None:
    """Hold the SQL of the project's migrations against what old code and big tables survive."""
    from serverless_django.local.migrations import lint_project

    raise SystemExit(lint_project(current_project()))


@commands.command()
@click.option("--diff", is_flag=True, required=True, help="Print each setting that the library changes, and why.")
@click.argument("module")
def settings(diff: bool, module: str) -> None:
    """Print what the library changes in the settings MODULE, such as lambda_app.settings.local."""
    sys.path[:0] = [str(find_root(Path.cwd()))]
    changes = getattr(import_module(module), "SERVERLESS_CHANGES", None)
    if changes is None:
        raise click.ClickException(f"{module} calls neither deployed(globals()) nor local(globals())")
    for name, before, after, reason in changes:
        click.echo(f"{name}: {reason}")
        click.echo(f"  - {_shown(name, before)}")
        click.echo(f"  + {_shown(name, after)}")


commands.add_command(secrets)


def main() -> None:
    """Run the command line; what a user can mend is one line on standard error, not a traceback."""
    from botocore.exceptions import BotoCoreError, ClientError

    from serverless_django.deploy.config.stage import InvalidStageError
    from serverless_django.deploy.node import NodeError
    from serverless_django.local.processes import ProcessError

    try:
        commands()
    except (InvalidStageError, NodeError, ProcessError, OSError) as error:
        click.echo(f"{error}", err=True)
        raise SystemExit(1) from error
    except (BotoCoreError, ClientError) as error:
        click.echo(f"AWS: {error} Check AWS_PROFILE, AWS_REGION and that you are signed in.", err=True)
        raise SystemExit(1) from error


def _state() -> Path:
    from serverless_django.local.running import STATE

    return find_root(Path.cwd()) / STATE


def _shown(name: str, value: Any) -> str:
    if any(part in name for part in HIDDEN) and value:
        return "(hidden)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_shown(str(key).upper(), item)}" for key, item in value.items()) + "}"
    return repr(value)
