from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from lambda_app.apps.feed.models import Member, Photo, Post
from lambda_app.apps.feed.services.photos import upload_key
from serverless_django.testing.requests import client_with_claims
from serverless_django.testing.sqs_events import TaskQueue

STORAGE = {
    "BACKEND": "tests.integration.feed.doubles.SigningStorage",
    "OPTIONS": {"base_url": "https://media.invalid/"},
}


@pytest.fixture(autouse=True)
def _platform(settings: Any, task_queue: TaskQueue) -> None:
    """The app alone: tasks kept instead of run, objects in memory."""
    settings.STORAGES = {"uploads": STORAGE, "media": STORAGE}


@pytest.fixture
def queue(task_queue: TaskQueue) -> TaskQueue:
    return task_queue


@pytest.fixture
def client_of() -> Callable[[str], Client]:
    """Make the client of a member: `client_of("ada")` calls with ada's verified token."""
    return lambda handle: client_with_claims(sub=f"subject-of-{handle}", preferred_username=handle)


@pytest.fixture
def ada(client_of: Callable[[str], Client], db: None) -> Client:
    return client_of("ada")


@pytest.fixture
def bob(client_of: Callable[[str], Client], db: None) -> Client:
    return client_of("bob")


@pytest.fixture
def client_of_reader(db: None) -> Client:
    """Make the client of a reader in a small seeded population."""
    from lambda_app.apps.feed.seeding import seed
    from tests.integration.feed.every_endpoint import POPULATION, READER

    seed(POPULATION, on_progress=lambda *progress: None)
    return client_with_claims(sub=READER, preferred_username="reader")


def make_member(handle: str) -> Member:
    return Member.objects.get_or_create(subject=f"subject-of-{handle}", defaults={"handle": handle})[0]


def make_photo(owner: Member, *, state: Photo.State = Photo.State.READY, **fields: Any) -> Photo:
    renditions = [{"name": "photos/x/320-0.webp", "width": 320, "height": 240}] if state == "ready" else []
    values = {"content_type": "image/jpeg", "width": 640, "height": 480, "renditions": renditions} | fields
    return Photo.objects.create(owner=owner, state=state, **values)


def make_post(author: str = "ada", caption: str = "") -> Post:
    owner = make_member(author)
    return Post.objects.create(author=owner, photo=make_photo(owner, is_posted=True), caption=caption)


def make_image(*, size: tuple[int, int] = (640, 480), kind: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, "teal").save(buffer, kind, **options)
    return buffer.getvalue()


def upload(photo_id: UUID | str, data: bytes) -> str:
    """Put `data` where the phone would, and return its key."""
    return storages["uploads"].save(key_of(photo_id), ContentFile(data))


def key_of(photo_id: UUID | str) -> str:
    return upload_key(Photo.objects.get(id=photo_id))
