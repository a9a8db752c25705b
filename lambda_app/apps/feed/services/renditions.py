"""The renditions of a photo in the media storage: named by their content, so that a name never changes its bytes."""

from hashlib import sha256
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from lambda_app.apps.feed.models import Photo

if TYPE_CHECKING:
    from lambda_app.apps.feed.rendering import EncodedImage, Rendering


class Rendition(TypedDict):
    name: str
    width: int
    height: int


def publish(photo: Photo, upload: bytes) -> None:
    """Render `upload` and make the photo ready, unless another run has settled it.

    Raise RejectedImageError if it is no image that we take.
    """
    rendering = _render(upload, photo.content_type)
    saved = [_save(photo.id, image) for image in rendering.images]
    settled = Photo.objects.filter(id=photo.id, state=Photo.State.PENDING).update(
        state=Photo.State.READY,
        width=rendering.width,
        height=rendering.height,
        placeholder=rendering.placeholder,
        renditions=saved,
    )
    if not settled:
        _delete_strays(photo.id, saved)


def delete_all(photo_id: UUID) -> None:
    """Delete every object of a photo whose row is gone, also what a killed run left before it could name it."""
    media, folder = storages["media"], _folder(photo_id)
    try:
        names = media.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        media.delete(f"{folder}/{name}")


def _render(upload: bytes, content_type: str) -> "Rendering":
    # Here, not above: Pillow is for the few environments that render, not for every cold start.
    from lambda_app.apps.feed.rendering import render

    return render(upload, content_type=content_type)


def _save(photo_id: UUID, image: "EncodedImage") -> Rendition:
    media = storages["media"]
    name = f"{_folder(photo_id)}/{image.width}-{sha256(image.data).hexdigest()[:32]}.webp"
    # What is there already is the same.
    if not media.exists(name):
        name = media.save(name, ContentFile(image.data))
    return {"name": name, "width": image.width, "height": image.height}


def _delete_strays(photo_id: UUID, saved: list[Rendition]) -> None:
    """Another run finished the photo first, or it was deleted: keep only the objects that the row names."""
    named = Photo.objects.filter(id=photo_id).values_list("renditions", flat=True).first() or []
    for rendition in saved:
        if rendition not in named:
            storages["media"].delete(rendition["name"])


def _folder(photo_id: UUID) -> str:
    return f"photos/{photo_id}"
