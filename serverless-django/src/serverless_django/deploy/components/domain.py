"""A host name of our own, and its records where its zone is ours too."""

from typing import cast

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from serverless_django.deploy.config import Stage


class ApiDomain(Construct):
    """The stage's host name as a door of API Gateway, without anything before it."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self.name = cast("str", stage.domain)
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", cast("str", stage.certificate_arn))
        domain = apigateway.DomainName(
            self,
            "Name",
            domain_name=self.name,
            certificate=certificate,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
            ip_address_type=apigateway.IpAddressType.DUAL_STACK,
        )
        self.mapping = apigateway.DomainMappingOptions(domain_name=domain)
        add_records(
            self, stage=stage, target=domain.regional_domain_name, target_zone_id=domain.regional_hosted_zone_id
        )


def add_records(scope: Construct, *, stage: Stage, target: str, target_zone_id: str) -> None:
    """Point the domain of `stage` to `target`, over IPv4 and IPv6, if the stage names a hosted zone.

    The records are constructs of `scope`; `target_zone_id` is the hosted zone of `target`.
    """
    if not stage.hosted_zone_id:
        return
    for type_ in ("A", "AAAA"):
        # Of level 1: it needs the id of the zone alone, where the others want its name and a look-up.
        route53.CfnRecordSet(
            scope,
            f"Record{type_}",
            hosted_zone_id=stage.hosted_zone_id,
            name=cast("str", stage.domain),
            type=type_,
            alias_target=route53.CfnRecordSet.AliasTargetProperty(dns_name=target, hosted_zone_id=target_zone_id),
        )
