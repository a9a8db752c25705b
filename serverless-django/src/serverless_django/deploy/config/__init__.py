"""What differs between stages, as typed values.  Components take these; none looks one up."""

from serverless_django.deploy.config.fit import TooManyConnectionsError, check_connections, connections_of
from serverless_django.deploy.config.instances import Instance, instance_of
from serverless_django.deploy.config.rules import LOG_RETENTION_DAYS
from serverless_django.deploy.config.stage import InvalidStageError, Stage

__all__ = [
    "LOG_RETENTION_DAYS",
    "Instance",
    "InvalidStageError",
    "Stage",
    "TooManyConnectionsError",
    "check_connections",
    "connections_of",
    "instance_of",
]
