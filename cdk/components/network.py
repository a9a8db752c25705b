"""A VPC without a way out: functions reach the database, and AWS through endpoints."""

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.components.logs import ExpiringLogs
from cdk.config import Stage

ENDPOINTS = {
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}
"""Services that functions call and that have no free gateway endpoint."""

POSTGRESQL = ec2.Port.tcp(5432)
HTTPS = ec2.Port.tcp(443)


class Network(Construct):
    """The VPC, and one security group per role: who may speak to whom is all decided here."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            # Tokens: a look-up would need credentials at synth.
            availability_zones=[Fn.select(zone, Fn.get_azs()) for zone in range(stage.availability_zones)],
            nat_gateways=0,
            create_internet_gateway=False,
            # Restricting it costs a function of CDK's own, and nothing uses the default group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="functions", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20),
                ec2.SubnetConfiguration(name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26),
            ],
        )
        self.function_subnets = self.vpc.select_subnets(subnet_group_name="functions").subnets
        self.database_subnets = ec2.SubnetSelection(subnet_group_name="database")
        self._add_groups()
        self._add_endpoints(self.function_subnets[: stage.endpoint_zones])
        if stage.flow_logs:
            self._add_flow_log(stage)

    def _add_groups(self) -> None:
        # One group for all functions but one: Lambda shares network interfaces per subnet and group.
        self.functions = self._group("Functions", "Functions that connect through the proxy")
        self.management = self._group("Management", "The function that connects to the database itself")
        self.proxy = self._group("Proxy", "RDS Proxy")
        self.database = self._group("Database", "PostgreSQL")
        self.endpoints = self._group("Endpoints", "Interface endpoints of AWS services")
        # CDK lets a proxy reach its database; the same rule twice would be refused by EC2.
        self._allow(self.functions, self.proxy, POSTGRESQL)
        self._allow(self.management, self.database, POSTGRESQL)
        for group in (self.functions, self.management):
            # S3 has public addresses, to which only the gateway endpoint leads.
            group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS services through endpoints")
            self.endpoints.add_ingress_rule(group, HTTPS, "functions")

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _allow(self, source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port) -> None:
        source.add_egress_rule(target, port)
        target.add_ingress_rule(source, port)

    def _add_endpoints(self, subnets: list[ec2.ISubnet]) -> None:
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        for id, service in ENDPOINTS.items():
            self.vpc.add_interface_endpoint(
                id,
                service=service,
                subnets=ec2.SubnetSelection(subnets=subnets),
                security_groups=[self.endpoints],
                # The default opens the port to the whole VPC.
                open=False,
            )

    def _add_flow_log(self, stage: Stage) -> None:
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(ExpiringLogs(self, "FlowLogs", stage=stage)),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
