"""What differs between stages, as typed values.  Components take these; none looks one up."""

from cdk.stages import STAGES, read_stage
from serverless_django.deploy.config.fit import TooManyConnectionsError, check_connections, connections_of
from serverless_django.deploy.config.instances import Instance, instance_of
from serverless_django.deploy.config.rules import LOG_RETENTION_DAYS
from serverless_django.deploy.config.stage import APP_NAME, InvalidStageError, Stage

__all__ = [
    "APP_NAME",
    "LOG_RETENTION_DAYS",
    "STAGES",
    "Instance",
    "InvalidStageError",
    "Stage",
    "TooManyConnectionsError",
    "check_connections",
    "connections_of",
    "instance_of",
    "read_stage",
]
