"""CloudFront before a bucket, so that an object has the same URL in every function."""

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import accept

KEPT = Duration.hours(1)
"""How long the edge serves what was deleted: as long as a signed link would have worked."""


class ObjectEdge(Construct):
    """Everyone who knows the name of an object may read it here; nothing is listed, nothing is written."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, name: str, bucket: s3.IBucket) -> None:
        super().__init__(scope, id)
        policies = cloudfront.ResponseHeadersPolicy
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{stage.prefix} {name}",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy(
                    self,
                    "ByName",
                    cache_policy_name=f"{stage.prefix}-{name}",
                    default_ttl=KEPT,
                    min_ttl=Duration.seconds(0),
                    max_ttl=KEPT,
                ),
                # Written by CloudFront into each answer, kept or not: no answer is for one origin alone.
                response_headers_policy=policies.CORS_ALLOW_ALL_ORIGINS_AND_SECURITY_HEADERS,
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
        )
        self.host = distribution.domain_name
        accept(
            self,
            {
                "AwsSolutions-CFR1": "members are everywhere",
                "AwsSolutions-CFR2": "it serves files by their name: there is no code behind it to attack",
                "AwsSolutions-CFR3": "S3 logs what is not answered from the cache, where the stage asks for it",
                "AwsSolutions-CFR4": "CloudFront's own name comes with its own policy",
            },
        )
