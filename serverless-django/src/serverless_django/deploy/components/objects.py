"""A declared bucket → S3, private; a declared trigger → its events, on the queue of objects."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from serverless_django.contract.resources import Bucket, ObjectTrigger
from serverless_django.deploy.components.logs import removal_policy_of
from serverless_django.deploy.components.queues import TaskQueue
from serverless_django.deploy.config import Stage


class ObjectBucket(Construct):
    """A private bucket that tells EventBridge of every object.

    Grants name single actions: those that CDK would give (`s3:GetObject*`, `s3:Abort*`) end in wildcards.
    """

    def __init__(
        self, scope: Construct, id: str, *, declaration: Bucket, stage: Stage, access_logs: s3.IBucket | None
    ) -> None:
        super().__init__(scope, id)
        self.declaration = declaration
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    expiration=Duration.days(declaration.expires_after.days) if declaration.expires_after else None,
                )
            ],
            cors=_browser_uploads(stage),
            removal_policy=removal_policy_of(stage),
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{declaration.name}/" if access_logs else None,
        )
        resource = cast("s3.CfnBucket", self.bucket.node.default_child)
        # CDK's own switch adds a function for what CloudFormation can do.
        resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)

    def grant_upload(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` put objects, and so sign uploads for others."""
        self._grant(grantee, "s3:PutObject")

    def grant_serve(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` read objects, and so sign links for others."""
        self._grant(grantee, "s3:GetObject")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` read objects, and see that one is gone."""
        self._grant(grantee, "s3:GetObject")
        # Without it S3 answers 403 for an object that is gone, which looks like a fault and is retried.
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.bucket.bucket_arn])

    def grant_write(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` read, put and delete objects, and see that one is gone."""
        self._grant(grantee, "s3:DeleteObject", "s3:PutObject")
        self.grant_read(grantee)

    def _grant(self, grantee: iam.IGrantable, *actions: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[self.bucket.arn_for_objects("*")]
        )


def _browser_uploads(stage: Stage) -> list[s3.CorsRule] | None:
    """Let the pages that may call the API upload by presigned requests and forms, and read presigned links."""
    if not stage.cors_origins:
        return None
    methods = [s3.HttpMethods.GET, s3.HttpMethods.HEAD, s3.HttpMethods.POST, s3.HttpMethods.PUT]
    return [
        s3.CorsRule(
            allowed_methods=methods, allowed_origins=list(stage.cors_origins), allowed_headers=["*"], max_age=3600
        )
    ]


class AccessLogs(s3.Bucket):
    """Where the other buckets record each access, for 90 days."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=removal_policy_of(stage),
        )


class ObjectRule(events.Rule):
    """S3 → EventBridge → SQS for one trigger.

    Through EventBridge, so that the bucket, in the stack that lasts, need not know the queue.
    """

    def __init__(
        self, scope: Construct, id: str, *, declaration: ObjectTrigger, bucket: s3.IBucket, queue: TaskQueue
    ) -> None:
        super().__init__(
            scope,
            id,
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"prefix": declaration.prefix}]}},
            ),
            targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters)],
        )
