"""What differs between stages, as typed values.  Components take these; none looks one up."""

from cdk.config.fit import TooManyConnectionsError, check_connections, connections_of
from cdk.config.instances import Instance, instance_of
from cdk.config.rules import LOG_RETENTION_DAYS
from cdk.config.stage import APP_NAME, InvalidStageError, Stage
from cdk.config.stages import STAGES, read_stage

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
