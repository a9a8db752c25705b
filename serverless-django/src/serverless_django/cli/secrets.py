"""`serverless-django secrets …`: the secrets that a stage declares, read and written in Secrets Manager."""

from typing import Any

import click

from serverless_django.cli.project import current_project
from serverless_django.deploy.config.stage import Stage
from serverless_django.deploy.project import LOCAL, Project
from serverless_django.deploy.stage_secrets import find_key, read_values, rotate_key, write_values


def client_of(project: Project, stage: str, service: str) -> Any:
    """Return a boto3 client of `service` for `stage`.

    Raise InvalidStageError if the project has no such stage, ProcessError if it is "local" and does not run.
    """
    import boto3

    project.stage(stage)
    if stage != LOCAL:
        return boto3.client(service)  # type: ignore[call-overload]
    from serverless_django.local.emulated_aws import EmulatedAws
    from serverless_django.local.running import STATE, RunningCloud

    return EmulatedAws(RunningCloud.find(project.root / STATE).endpoint).client(service)


@click.group()
def secrets() -> None:
    """Read and write the secrets that a stage declares."""


stage_option = click.option("--stage", required=True, help="Name of a stage of cdk/stages.py.")


@secrets.command("set")
@click.argument("name")
@stage_option
@click.option("--value", prompt=True, hide_input=True, help="Asked for without an echo if it is left out.")
def set_(name: str, stage: str, value: str) -> None:
    """Give the secret NAME of a stage a value.  Functions that start from now on read it."""
    project = current_project()
    declared, client = project.stage(stage), client_of(project, stage, "secretsmanager")
    _check_declared(declared, name)
    write_values(client, declared, read_values(client, declared) | {name: value})
    click.echo(f"{name} of stage {stage} is set")


@secrets.command("list")
@stage_option
def list_(stage: str) -> None:
    """Print the name of each secret that a stage declares, and whether it has a value."""
    project = current_project()
    declared = project.stage(stage)
    values = read_values(client_of(project, stage, "secretsmanager"), declared)
    for name in declared.secrets:
        click.echo(f"{name:<40} {'set' if name in values else 'NOT SET'}")


@secrets.command()
@stage_option
def rotate(stage: str) -> None:
    """Rotate SECRET_KEY of a stage in two steps, with a deploy after each: announce a new key, then sign with it."""
    project = current_project()
    arn = find_key(client_of(project, stage, "cloudformation"), project.stage(stage))
    if arn is None:
        raise click.ClickException(f"stage {stage!r} has no SECRET_KEY; the project says secret_key=False")
    if rotate_key(client_of(project, stage, "secretsmanager"), arn):
        click.echo(
            "new environments sign with the new key; what the old one has signed is valid until the next rotation"
        )
    else:
        click.echo("the new key is announced; when no environment runs that has not read it, call this again")


def _check_declared(stage: Stage, name: str) -> None:
    if name not in stage.secrets:
        declared = ", ".join(stage.secrets) or "none"
        raise click.ClickException(
            f"stage {stage.name!r} declares no secret {name}; declared are {declared}; add it to the stage"
        )
