"""Grants that no recorded call uses, each with the reason why it stays."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.privileges.policies import Call, Grant


@dataclass(frozen=True)
class Excuse:
    """Patterns of a grant, as policies have them."""

    role: str
    action: str
    resource: str
    reason: str

    def is_for(self, grant: Grant) -> bool:
        pattern = Grant(grant.role, self.action, self.resource)
        return self._has_role(grant.role) and pattern.covers(Call(grant.role, grant.action, grant.resource))

    def _has_role(self, role: str) -> bool:
        return self.role == "*" or role.startswith(self.role)


WORKERS = {
    "ObjectsWorker",
    "QueuedefaultWorker",
    "QueuehousekeepingWorker",
    "QueuelikesWorker",
    "QueuerenderingsWorker",
    "QueueviewsWorker",
}

EXCUSES = (
    Excuse("*", "ec2:*", "*", "Lambda makes the network interfaces of a function with the function's role"),
    Excuse("*", "logs:CreateLogStream", "*", "Lambda writes the function's log with the function's role"),
    Excuse("*", "logs:PutLogEvents", "*", "Lambda writes the function's log with the function's role"),
    Excuse("*", "rds-db:connect", "*", "signed in the function and judged by PostgreSQL's side: no call of AWS"),
    Excuse("*", "elasticache:Connect", "*", "signed in the function and judged by ElastiCache: no call of AWS"),
    *(
        Excuse(worker, action, "{*Queue*}", "Lambda takes messages off with this role, and so does a worker in danger")
        for worker in sorted(WORKERS)
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage")
    ),
    *(
        Excuse(function, "sqs:SendMessage", "{Queue*Queue*}", "any task may be enqueued wherever application code runs")
        for function in ("Web", *sorted(WORKERS))
    ),
    Excuse("*", "s3:ListBucket", "{Bucketuploads*}", "with it S3 answers 404, not 403, for an object that is gone"),
    Excuse("Web", "secretsmanager:GetSecretValue", "{OriginSecret*}", "stages with an edge only, as a laptop is not"),
)  # fmt: skip


def without_excuse(grants: Iterable[Grant]) -> set[Grant]:
    return {grant for grant in grants if not any(excuse.is_for(grant) for excuse in EXCUSES)}
