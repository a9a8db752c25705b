"""CloudFront before the API, and the secret by which Django knows that a request came through it."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from serverless_django.contract.environment import ORIGIN_SECRET_HEADER
from serverless_django.contract.resources import Topology
from serverless_django.deploy.components.domain import add_records
from serverless_django.deploy.components.logs import removal_policy_of
from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import accept

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The hosted zone of every distribution."""


class OriginSecret(secretsmanager.Secret):
    """What CloudFront says and the API asks for: without it anyone could go around the firewall."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id,
            description="Header by which the API knows CloudFront",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=40, exclude_punctuation=True),
            removal_policy=removal_policy_of(stage),
        )
        accept(self, {"AwsSolutions-SMG4": "CloudFront and the functions change it together, in a deploy"})

    def allow_reading(self, grantee: iam.IGrantable) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=[self.secret_arn]
        )


class Edge(Construct):
    """The distribution.  What topology says is public is cached as Django's headers say, all else never."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        topology: Topology,
        origin_host: str,
        secret: OriginSecret,
        firewall_arn: str | None,
    ) -> None:
        super().__init__(scope, id)
        origin = origins.HttpOrigin(
            origin_host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            # A second more than API Gateway waits.
            read_timeout=Duration.seconds(31),
            # Resolved by CloudFormation: the value stands in no template.
            custom_headers={ORIGIN_SECRET_HEADER: secret.secret_value.unsafe_unwrap()},
        )
        cached = self._cache_policy(stage)
        self._distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=stage.prefix,
            default_behavior=_behavior(origin, cloudfront.CachePolicy.CACHING_DISABLED),
            additional_behaviors={
                path.replace("{proxy+}", "*"): _behavior(origin, cached) for path in topology.public_paths
            },
            domain_names=[stage.domain] if stage.domain else None,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", stage.certificate_arn)
            if stage.certificate_arn
            else None,
            web_acl_id=firewall_arn,
            # CloudFront's own name has its own policy.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if stage.domain else None,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
        )
        add_records(self, stage=stage, target=self._distribution.domain_name, target_zone_id=CLOUDFRONT_ZONE)
        self.host = stage.domain or self._distribution.domain_name
        self._accept_findings(stage)

    def _cache_policy(self, stage: Stage) -> cloudfront.CachePolicy:
        return cloudfront.CachePolicy(
            self,
            "Public",
            cache_policy_name=f"{stage.prefix}-public",
            # Nothing is kept unless the response says so.
            default_ttl=Duration.seconds(0),
            min_ttl=Duration.seconds(0),
            max_ttl=Duration.days(365),
            # The gateway, or Django, names the page's origin in its answer: another page must not get that one.
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Origin"),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        )

    def _accept_findings(self, stage: Stage) -> None:
        accept(self, {"AwsSolutions-CFR3": "API Gateway logs each request that is not answered from the cache"})
        accept(self, {"AwsSolutions-CFR1": "members are everywhere"})
        if stage.edge == "cdn":
            accept(self, {"AwsSolutions-CFR2": "the stage was configured without a firewall"})
        if not stage.certificate_arn:
            accept(self, {"AwsSolutions-CFR4": "CloudFront's own name comes with its own policy"})


def _behavior(origin: origins.HttpOrigin, policy: cloudfront.ICachePolicy) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=cast("cloudfront.IOrigin", origin),
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
        cache_policy=policy,
        # API Gateway finds the API by its own name: that of the viewer would find none.
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
        compress=True,
    )
