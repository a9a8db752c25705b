"""What travels over HTTP: every field of a request has a bound, and unknown fields are refused."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.files.storage import storages
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from lambda_app.apps.feed.models import MAX_CAPTION_LENGTH, MAX_UPLOAD_BYTES, Photo
from serverless_django.pagination import CURSOR_PATTERN, decode_cursor

MAX_VIEWS_PER_REQUEST = 500
MAX_VIEW_DURATION_MS = 86_400_000
"""A day."""

HANDLE_IN_PATH = r"^(\.{0,2}[A-Za-z0-9_-][A-Za-z0-9._-]*|\.{3}[A-Za-z0-9._-]*)$"
"""Not "." and "..": in a path these are no names, but ways to another place."""


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text holds a NUL character, which PostgreSQL cannot store")
    return text


def _number(value: object) -> object:
    # Pydantic takes true for 1 and "1" for 1; JSON and its schema do not.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a number")
    return value


def _written_as(pattern: str, what: str) -> BeforeValidator:
    """Refuse text that does not match `pattern`, because to Pydantic " 5", "+5" and "5_0" are numbers."""
    match = re.compile(pattern).fullmatch

    def check(value: object) -> object:
        if isinstance(value, str) and not match(value):
            raise ValueError(f"should be {what}")
        return value

    return BeforeValidator(check)


Text = Annotated[str, AfterValidator(_without_nul), Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})]
Handle = Annotated[str, StringConstraints(pattern=HANDLE_IN_PATH, max_length=64), AfterValidator(str.lower)]
Id = Annotated[UUID, _written_as(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID with four hyphens")]
Limit = Annotated[int, Field(ge=1, le=50), _written_as(r"0|-?[1-9][0-9]*", "a whole number")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPost(Body):
    photo_id: Id
    caption: Annotated[Text, Field(max_length=MAX_CAPTION_LENGTH)] = ""


class NewPhoto(Body):
    content_type: Literal["image/jpeg", "image/png", "image/webp"]
    size: Annotated[int, Field(ge=1, le=MAX_UPLOAD_BYTES), BeforeValidator(_number)]
    """Bytes of the file."""


class NewView(Body):
    post_id: Id
    duration_ms: Annotated[int, Field(ge=0, le=MAX_VIEW_DURATION_MS), BeforeValidator(_number)] = 0


class NewViews(Body):
    views: Annotated[list[NewView], Field(min_length=1, max_length=MAX_VIEWS_PER_REQUEST)]


class PageQuery(BaseModel):
    cursor: Annotated[str | None, Field(pattern=CURSOR_PATTERN)] = None
    """`next_cursor` of the page before."""

    limit: Limit = 20

    @property
    def before(self) -> UUID | None:
        """Raise InvalidCursorError if the cursor is not one that we gave."""
        return None if self.cursor is None else decode_cursor(self.cursor, UUID)


class MemberOut(BaseModel):
    id: UUID
    handle: str
    created_at: datetime
    follower_count: int
    following_count: int
    followed: bool
    """Whether the caller follows this member."""


class AuthorOut(BaseModel):
    id: UUID
    handle: str


class RenditionOut(BaseModel):
    width: int
    height: int
    url: str


class PhotoOut(BaseModel):
    id: UUID
    state: Photo.State
    reason: str | None
    width: int | None
    height: int | None
    placeholder: str | None
    """A BlurHash, to be shown until a rendition is there."""

    renditions: list[RenditionOut]


class UploadOut(BaseModel):
    """A presigned PUT: send the bytes of the file to `url` with `headers`.  412 says that a file is there already."""

    photo: PhotoOut
    url: str
    headers: dict[str, str]


class SharedPostOut(BaseModel):
    """A post as its link shows it: the same for every client."""

    id: UUID
    author: AuthorOut
    caption: str
    photo: PhotoOut
    like_count: int
    view_count: int
    created_at: datetime


class PostOut(SharedPostOut):
    liked: bool
    """Whether the caller likes this post, as far as the queue has got."""


class PostPage(BaseModel):
    posts: list[PostOut]
    next_cursor: str | None


class ViewsAccepted(BaseModel):
    accepted: int
    repeated: int
    """Views of a post that this request reports twice: one is taken."""


def renditions_out(renditions: Sequence[Mapping[str, Any]]) -> list[RenditionOut]:
    media = storages["media"]
    return [
        RenditionOut(width=item["width"], height=item["height"], url=media.url(item["name"])) for item in renditions
    ]


def photo_out(photo: Photo) -> PhotoOut:
    return PhotoOut(
        id=photo.id,
        state=Photo.State(photo.state),
        reason=photo.reason or None,
        width=photo.width,
        height=photo.height,
        placeholder=photo.placeholder or None,
        renditions=renditions_out(photo.renditions),
    )
