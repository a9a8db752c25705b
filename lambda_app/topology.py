"""Every queue, bucket, trigger and schedule of this deployment: the file to edit to add one."""

from datetime import timedelta

from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Schedule, Topology

TOPOLOGY = Topology(
    queues=(
        Queue(name="default", reads=("uploads",)),
        # One photo at a time, of which one of 25 megapixels decodes to some 400 MB.
        Queue(name="renderings", batch_size=1, memory_mb=1024, reads=("uploads",), writes=("media",)),
        # A batch takes milliseconds.  One that was killed is delivered again after six of its timeouts.
        Queue(name="likes", batch_size=1000, batch_window=timedelta(seconds=1), batch_timeout=timedelta(seconds=10)),
        # Up to 500 events in each message.
        Queue(name="views", batch_size=50, batch_window=timedelta(seconds=1), batch_timeout=timedelta(seconds=10)),
    ),
    buckets=(
        Bucket(name="uploads", expires_after=timedelta(days=2)),
        # Named by a random id and a digest of the bytes.
        Bucket(name="media", immutable=True, served_by_name=True),
    ),
    object_triggers=(
        ObjectTrigger(bucket="uploads", prefix="photos/", task="lambda_app.apps.feed.tasks.receive_uploads"),
    ),
    # A batch takes milliseconds of the database, and no file is read: members upload when and what they like.
    object_queue=Queue(name="objects", max_concurrency=2),
    schedules=(
        Schedule(
            name="expire-abandoned-photos",
            expression="rate(5 minutes)",
            task="lambda_app.apps.feed.tasks.expire_abandoned_photos",
        ),
        Schedule(
            name="maintain-view-partitions",
            expression="rate(1 day)",
            task="lambda_app.apps.feed.tasks.maintain_view_partitions",
        ),
    ),
    authenticated_paths=("/v1/{proxy+}",),
    public_paths=("/v1/openapi.json", "/v1/docs", "/v1/docs/{proxy+}", "/v1/shared/{proxy+}"),
)
