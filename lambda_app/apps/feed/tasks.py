"""Background entry points of the feed: decode, call one service.  Each is safe to repeat."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.tasks import task

from lambda_app.apps.feed.services import photos, reactions


@task(queue_name="likes")
def record_like(member_id: str, post_id: str, is_liked: bool, requested_at: str) -> None:
    reactions.record_like(
        member_id=UUID(member_id),
        post_id=UUID(post_id),
        is_liked=is_liked,
        requested_at=datetime.fromisoformat(requested_at),
    )


@task(queue_name="views")
def record_views(member_id: str, viewed_at: str, events: Sequence[tuple[str, str, int]]) -> None:
    reactions.record_views(
        member_id=UUID(member_id),
        viewed_at=datetime.fromisoformat(viewed_at),
        events=[(UUID(event_id), UUID(post_id), duration_ms) for event_id, post_id, duration_ms in events],
    )


@task
def render_photo(bucket: str, key: str) -> None:
    photos.render_upload(bucket=bucket, key=key)


@task
def expire_abandoned_photos() -> None:
    for key in photos.settle_late_uploads():
        render_photo.enqueue(bucket="uploads", key=key)
    photos.delete_unposted_photos()
