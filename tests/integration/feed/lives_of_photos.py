"""What tests of photos do with them, as phones, as workers, and as time does."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from lambda_app.apps.feed import tasks
from lambda_app.apps.feed.models import LATE_AFTER, Photo
from lambda_app.apps.feed.services import renditions
from tests.integration.feed.conftest import make_image, upload


def open_upload(client, content_type="image/jpeg", size=1_000):
    body = {"content_type": content_type, "size": size}
    response = client.post("/v1/photos", body, content_type="application/json")
    assert response.status_code == 201
    return response.json()


def render(photo_id, data):
    tasks.render_photo.call(bucket="uploads", key=upload(photo_id, data))


def read(client, photo_id):
    return client.get(f"/v1/photos/{photo_id}").json()


def age(photo, **ago):
    """Let time pass for the photo."""
    then = timezone.now() - timedelta(**ago)
    Photo.objects.filter(id=photo.id).update(created_at=then, check_after=then + LATE_AFTER)


def media_names():
    """Return the names of all objects in the media storage."""
    storage = storages["media"]
    if not storage.exists("photos"):
        return set()
    folders = storage.listdir("photos")[0]
    return {f"photos/{folder}/{name}" for folder in folders for name in storage.listdir(f"photos/{folder}")[1]}


def kill_workers(photo_id, monkeypatch, *, times):
    """Render as often, in workers that die of it: they neither finish nor give anything back."""
    key = upload(photo_id, make_image())
    with monkeypatch.context() as dying:
        dying.setattr(renditions, "publish", Mock(side_effect=KeyboardInterrupt))
        for _ in range(times):
            with pytest.raises(KeyboardInterrupt):
                tasks.render_photo.call(bucket="uploads", key=key)
    return key
