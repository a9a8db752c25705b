from datetime import timedelta

from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Schedule, Topology

TOPOLOGY = Topology(
    queues=(
        Queue(name="default", reads=("uploads",)),
        Queue(name="renderings", batch_size=1, memory_mb=1024, reads=("uploads",), writes=("media",)),
        Queue(name="likes", batch_size=1000, batch_window=timedelta(seconds=1), batch_timeout=timedelta(seconds=10)),
        Queue(name="views", batch_size=50, batch_window=timedelta(seconds=1), batch_timeout=timedelta(seconds=10)),
    ),
    buckets=(
        Bucket(name="uploads", expires_after=timedelta(days=2)),
        Bucket(name="media", immutable=True, served_by_name=True),
    ),
    object_triggers=(ObjectTrigger(bucket="uploads", prefix="pictures/", task="lambda_app.tasks.receive_pictures"),),
    object_queue=Queue(name="objects", max_concurrency=2),
    schedules=(Schedule(name="tidy", expression="rate(5 minutes)", task="lambda_app.tasks.tidy"),),
    authenticated_paths=("/v1/{proxy+}",),
    public_paths=("/v1/docs", "/v1/docs/{proxy+}"),
)
