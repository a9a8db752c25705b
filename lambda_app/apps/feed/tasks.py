"""Background entry points of the feed: decode, call one service.  Each is safe to repeat."""

from uuid import UUID

import msgspec
from django.tasks import task

from lambda_app.apps.feed.budgets import budget
from lambda_app.apps.feed.payloads import LikeRequest, ViewReport
from lambda_app.apps.feed.services import abandoned_photos, partitions, reactions, renderings, renditions


@task(queue_name="likes")
@budget(queries=4)
def record_likes(likes: list[LikeRequest]) -> None:
    # Already of this type where lambda_app.topology declares the task bulk; decoded JSON anywhere else.
    reactions.record_likes(likes=msgspec.convert(likes, list[LikeRequest]))


@task(queue_name="views")
@budget(queries=4)
def record_views(reports: list[ViewReport]) -> None:
    reactions.record_views(reports=msgspec.convert(reports, list[ViewReport]))


@task
@budget(queries=4)
def render_photo(bucket: str, key: str, version: str = "") -> None:
    renderings.render_upload(bucket=bucket, key=key, version=version)


@task
@budget(queries=2_010, repeats=250, sql_ms=5_000)
def expire_abandoned_photos() -> None:
    abandoned_photos.sweep(
        render=lambda key: render_photo.enqueue(bucket="uploads", key=key),
        delete_renditions=lambda photo_id: delete_renditions.enqueue(str(photo_id)),
    )


@task
@budget(queries=1)
def delete_renditions(photo_id: str) -> None:
    renditions.delete_all(UUID(photo_id))


@task
@budget(queries=3, sql_ms=5_000, slowest_query_ms=5_000)
def maintain_view_partitions() -> None:
    partitions.maintain_view_partitions()
