"""`python -m serverless_django.local COMMAND`: the commands behind the Makefile's targets."""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
from pathlib import Path

from serverless_django.local.processes import ProcessError


def run(arguments: argparse.Namespace) -> int:
    """start the whole system and serve until Ctrl-C or SIGTERM"""
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(_serve(arguments.port, as_json=arguments.json, follows_edits=not arguments.as_deployed))
    return 0


async def _serve(port: int, *, as_json: bool, follows_edits: bool) -> None:
    from serverless_django.local.cloud import Cloud
    from serverless_django.local.terminal import Printer, announce, obey_keys, paint_of

    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    printer = Printer(as_json, paint_of(sys.stdout))
    # Next to the API's: two systems on one machine have two consoles.
    console_port = port + 1 if port else 0
    cloud = Cloud(
        port=port, console_port=console_port, follows_edits=follows_edits,
        on_exchange=printer.exchange, on_invocation=printer.invocation,
    )  # fmt: skip
    async with cloud.running():
        announce(cloud)
        await obey_keys(cloud)


def deploy(arguments: argparse.Namespace) -> int:
    """synthesize and deploy the working copy to the running system"""
    from serverless_django.local.running import RunningCloud

    RunningCloud.find().deploy()
    return 0


def reset(arguments: argparse.Namespace) -> int:
    """delete what the system has stored"""
    from serverless_django.local.running import STATE, RunningCloud

    if RunningCloud.is_there():
        raise ProcessError("the system is running; stop it first")
    shutil.rmtree(STATE, ignore_errors=True)
    return 0


def token(arguments: argparse.Namespace) -> int:
    """print a bearer token for a member"""
    from serverless_django.local.running import RunningCloud

    print(RunningCloud.find().issue_token(arguments.member))
    return 0


def keys(arguments: argparse.Namespace) -> int:
    """print the variables with which the AWS CLI reaches the emulated AWS"""
    from serverless_django.local.running import RunningCloud

    cloud = RunningCloud.find()
    for name, value in {**cloud.credentials, "AWS_ENDPOINT_URL": cloud.endpoint}.items():
        print(f"export {name}={value}")
    return 0


def manage(arguments: argparse.Namespace) -> int:
    """run a command of Django's against the running system, with the deployed settings"""
    from serverless_django.local.running import RunningCloud

    RunningCloud.find().manage(arguments.arguments)


def demo(arguments: argparse.Namespace) -> int:
    """act as a phone against the system, and check every figure"""
    from serverless_django.local.demo import run_demo

    return asyncio.run(run_demo())


def invoke(arguments: argparse.Namespace) -> int:
    """run one sample event through its handler"""
    from serverless_django.local.invoke import invoke_sample

    return invoke_sample(arguments.event)


def tail(arguments: argparse.Namespace) -> int:
    """follow every function's log, or print the lines of one id"""
    from serverless_django.local.running import STATE
    from serverless_django.local.terminal import tail

    with contextlib.suppress(KeyboardInterrupt):
        tail(STATE / "logs", arguments.id, as_json=arguments.json)
    return 0


def figures(arguments: argparse.Namespace) -> int:
    """print the last figures of every measurement against their goals"""
    from serverless_django.local.figures import print_figures

    return print_figures()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serverless_django.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function in (run, deploy, reset, manage, token, keys, invoke, tail, demo, figures):
        command = commands.add_parser(function.__name__, help=function.__doc__)
        command.set_defaults(function=function)
        if function is run:
            command.add_argument("--port", type=int, default=8000)
            command.add_argument("--json", action="store_true", help="print lines for programs")
            command.add_argument("--as-deployed", action="store_true", help="let edits wait for a deploy")
        elif function is tail:
            command.add_argument("id", nargs="?", default="")
            command.add_argument("--json", action="store_true", help="print lines for programs")
        elif function is manage:
            command.add_argument("arguments", nargs=argparse.REMAINDER)
        elif function is token:
            command.add_argument("member")
        elif function is invoke:
            command.add_argument("event", type=Path)
    arguments = parser.parse_args()
    try:
        return int(arguments.function(arguments))
    except (ProcessError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
