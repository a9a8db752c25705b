"""A VPC, by default without a way out: functions reach the database, and AWS through endpoints."""

from collections.abc import Iterable

from aws_cdk import ArnFormat, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from serverless_django.deploy.components.logs import ExpiringLogs
from serverless_django.deploy.config import Stage

ENDPOINTS = {
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
}
"""Services that functions call and that have no free gateway endpoint."""

ENDPOINT_ACTIONS = {
    "Sqs": [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ListQueues",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    ],
    "SecretsManager": ["secretsmanager:GetSecretValue"],
}
"""What functions do there: a test compares it with what they were seen to do."""

READING_SECRETS = ["secretsmanager:BatchGetSecretValue"]

POSTGRESQL = ec2.Port.tcp(5432)
HTTPS = ec2.Port.tcp(443)
VALKEY = ec2.Port.tcp_range(6379, 6380)


OBJECT_ACTIONS = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]

SUBNETS = {
    "isolated": ec2.SubnetType.PRIVATE_ISOLATED,
    "ipv6": ec2.SubnetType.PRIVATE_WITH_EGRESS,
    "nat": ec2.SubnetType.PRIVATE_WITH_EGRESS,
}


class Network(Construct):
    """The VPC, and one security group per role: who may speak to whom is all decided here."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, reads_secrets: bool) -> None:
        """`reads_secrets` says whether functions read secrets of the project while they start."""
        super().__init__(scope, id)
        self._egress = stage.egress
        self._reads_secrets = reads_secrets
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_protocol=ec2.IpProtocol.DUAL_STACK if self.is_dual_stack else None,
            # Tokens: a look-up would need credentials at synth.
            availability_zones=[Fn.select(zone, Fn.get_azs()) for zone in range(stage.availability_zones)],
            nat_gateways=1 if stage.egress == "nat" else 0,
            create_internet_gateway=stage.egress == "nat",
            # Restricting it costs a function of CDK's own, and nothing uses the default group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="functions", subnet_type=SUBNETS[stage.egress], cidr_mask=20),
                ec2.SubnetConfiguration(name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26),
                # Last, so that the way out can change without moving what is there.
                *([_PUBLIC] if stage.egress == "nat" else []),
            ],
        )
        self.function_subnets = self.vpc.select_subnets(subnet_group_name="functions").subnets
        self.database_subnets = ec2.SubnetSelection(subnet_group_name="database")
        self._add_groups()
        self.s3 = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        if stage.egress == "isolated":
            self._add_endpoints(self.function_subnets[: stage.endpoint_zones])
        if stage.flow_logs:
            self._add_flow_log(stage)

    @property
    def is_dual_stack(self) -> bool:
        return self._egress == "ipv6"

    def restrict_s3(self, buckets: Iterable[s3.IBucket]) -> None:
        """Let nothing leave through the endpoint of S3 but to `buckets`, and only as someone of this account."""
        arns = [arn for bucket in buckets for arn in (bucket.bucket_arn, bucket.arn_for_objects("*"))]
        if arns:
            self.s3.add_to_policy(_for_this_account(self, OBJECT_ACTIONS, arns))

    def cache_group(self) -> ec2.SecurityGroup:
        """Return a group for a cache that the functions reach; its second port is that of its readers."""
        group = self._group("Cache", "Valkey")
        self._allow(self.functions, group, VALKEY)
        return group

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
            if self.is_dual_stack:
                group.add_egress_rule(ec2.Peer.any_ipv6(), HTTPS, "AWS services over IPv6")
            self.endpoints.add_ingress_rule(group, HTTPS, "functions")

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _allow(self, source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port) -> None:
        source.add_egress_rule(target, port)
        target.add_ingress_rule(source, port)

    def _add_endpoints(self, subnets: list[ec2.ISubnet]) -> None:
        for id, service in ENDPOINTS.items():
            endpoint = self.vpc.add_interface_endpoint(
                id,
                service=service,
                subnets=ec2.SubnetSelection(subnets=subnets),
                security_groups=[self.endpoints],
                # The default opens the port to the whole VPC.
                open=False,
            )
            # Neither data nor stolen credentials of another account pass.
            actions = ENDPOINT_ACTIONS[id] + (READING_SECRETS if self._reads_secrets and id == "SecretsManager" else [])
            service_name = actions[0].partition(":")[0]
            own = Stack.of(self).format_arn(service=service_name, resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
            endpoint.add_to_policy(_for_this_account(self, actions, [own]))

    def _add_flow_log(self, stage: Stage) -> None:
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(ExpiringLogs(self, "FlowLogs", stage=stage)),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )


_PUBLIC = ec2.SubnetConfiguration(
    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=26, map_public_ip_on_launch=False
)


def _for_this_account(scope: Construct, actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=actions,
        resources=resources,
        conditions={"StringEquals": {"aws:PrincipalAccount": Stack.of(scope).account}},
    )
