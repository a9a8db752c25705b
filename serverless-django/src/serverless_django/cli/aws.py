"""Clients of AWS for a stage: the account that this shell is signed in to, or the emulator for the stage "local"."""

from typing import Any

from serverless_django.deploy.project import LOCAL, Project


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
