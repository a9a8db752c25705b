from serverless_django.contract.resources import Bucket, Queue, Schedule, Topology

TOPOLOGY = Topology(
    queues=(Queue(name="default"),),
    buckets=(Bucket(name="media"),),
    schedules=(
        Schedule(
            name="clear-baskets",
            expression="cron(0 3 * * ? *)",
            task="lambda_app.tasks.clear_baskets",
        ),
    ),
)
