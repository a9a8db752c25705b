"""The firewall, in the one region from which CloudFront takes it."""

from aws_cdk import CfnOutput, Environment, Fn, Stack
from constructs import Construct

from serverless_django.deploy.components.firewall import Firewall
from serverless_django.deploy.config import Stage

REGION = "us-east-1"


class EdgeStack(Stack):
    """Deployed first, whatever the region of the others."""

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        super().__init__(
            scope,
            f"{stage.prefix}-edge",
            env=Environment(region=REGION),
            description=f"{stage.project} {stage.name}: firewall",
            tags={"application": stage.project, "stage": stage.name},
        )
        firewall = Firewall(self, "Firewall", stage=stage)
        self._arn = CfnOutput(self, "FirewallArn", value=firewall.attr_arn)

    @property
    def firewall_arn(self) -> str:
        """Read by CloudFormation when a stack of any region is deployed, without a function to carry it over."""
        return Fn.get_stack_output(self.stack_name, self._arn.logical_id, region=REGION)
