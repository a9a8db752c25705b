"""Background entry points of the feed: decode, call one service.  Each is safe to repeat."""

from uuid import UUID

from django.db import transaction

from lambda_app.apps.feed.payloads import LikeRequest, Upload, ViewReport
from lambda_app.apps.feed.services import abandoned_photos, partitions, reactions, renderings, renditions
from lambda_app.apps.feed.services.photos import parse_key
from serverless_django.budgets import budget
from serverless_django.tasks import task


# Phones send likes and views by the thousand, and send again what was not accepted.
@task(queue_name="likes", bulk=True, direct=True)
@budget(queries=4)
def record_likes(likes: list[LikeRequest]) -> None:
    reactions.record_likes(likes=likes)


@task(queue_name="views", bulk=True, direct=True)
@budget(queries=4)
def record_views(reports: list[ViewReport]) -> None:
    reactions.record_views(reports=reports)


@task(bulk=True)
@budget(queries=12, repeats=10)
def receive_uploads(uploads: list[Upload]) -> None:
    for member_id in renderings.note_uploads([upload.key for upload in uploads]):
        _begin_renderings(member_id)


# Not transactional, here and below: seconds of pixels and S3, safe to repeat, and no transaction is open for as long.
@task(queue_name="renderings", transactional=False)
@budget(queries=9)
def render_photo(bucket: str, key: str, version: str = "") -> None:
    try:
        renderings.render_upload(bucket=bucket, key=key, version=version)
    finally:
        if ids := parse_key(key):
            _begin_renderings(ids[0])


@task(transactional=False)
@budget(queries=2_010, repeats=250, sql_ms=5_000)
def expire_abandoned_photos() -> None:
    abandoned_photos.sweep(
        render=_begin_renderings, delete_renditions=lambda photo_id: delete_renditions.enqueue(str(photo_id))
    )


@task(queue_name="renderings", transactional=False)
@budget(queries=1)
def delete_renditions(photo_id: str) -> None:
    renditions.delete_all(UUID(photo_id))


@task
@budget(queries=3, sql_ms=5_000, slowest_query_ms=5_000)
def maintain_view_partitions() -> None:
    partitions.maintain_view_partitions()


@transaction.atomic
def _begin_renderings(member_id: UUID) -> None:
    for key in renderings.lease_next(member_id):
        render_photo.enqueue(bucket="uploads", key=key)
