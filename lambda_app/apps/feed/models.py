from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from lambda_app.apps.feed.identifiers import new_id

MAX_CAPTION_LENGTH = 2_200
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
HANDLE_PATTERN = r"^[a-z0-9._-]{1,64}$"

LATE_AFTER = timedelta(minutes=10)
"""Past the upload window with room for a slow upload: from here on the sweep looks after a pending photo."""


def when_late() -> datetime:
    return timezone.now() + LATE_AFTER


class Member(models.Model):
    """Who calls the API.  AUTH_USER_MODEL without a password: the issuer of the tokens keeps those."""

    USERNAME_FIELD = "handle"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_anonymous = False
    is_authenticated = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.CharField(max_length=255)
    """The `sub` of the tokens of this member: never changes, unlike names and addresses."""

    handle = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True, db_default=True)
    follower_count = models.PositiveIntegerField(default=0, db_default=0)
    following_count = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        # Not unique=True: that would add a second index to each, for searches by prefix that no query makes.
        constraints = [
            models.UniqueConstraint(fields=["subject"], name="member_subject_once"),
            models.UniqueConstraint(fields=["handle"], name="member_handle_once"),
            models.CheckConstraint(condition=Q(handle__regex=HANDLE_PATTERN), name="member_handle_is_plain"),
        ]

    def __str__(self) -> str:
        return self.handle


class Follow(models.Model):
    """`follower` sees the posts of `followed`.  The key serves "whom does X follow" and refuses doubles."""

    pk = models.CompositePrimaryKey("follower_id", "followed_id")
    follower = models.ForeignKey(Member, models.DB_CASCADE, related_name="following", db_index=False)
    followed = models.ForeignKey(Member, models.DB_CASCADE, related_name="followers", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["followed"], name="follow_followers_of_member")]
        constraints = [models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_not_oneself")]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followed_id}"


class Photo(models.Model):
    """An upload and, once it is ready, its renditions."""

    class State(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(Member, models.DB_CASCADE, related_name="photos", db_index=False)
    content_type = models.CharField(max_length=32)
    """What the owner says that the file is; another file is rejected."""

    state = models.CharField(max_length=8, choices=State, default=State.PENDING, db_default=State.PENDING)
    reason = models.CharField(max_length=200, default="", db_default="", blank=True)
    """Why it was rejected, for the owner to read."""

    width = models.PositiveSmallIntegerField(null=True)
    height = models.PositiveSmallIntegerField(null=True)
    renditions = models.JSONField(default=list, blank=True)
    """`{"name", "width", "height"}` of each object in the media storage, widest first."""

    placeholder = models.CharField(max_length=64, default="", db_default="", blank=True)
    """A BlurHash."""

    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Renderings that were begun and did not come back: a file that kills its worker is known by them."""

    check_after = models.DateTimeField(default=when_late, db_default=Now())
    """When the sweep looks at it next, should no post show it then."""

    waiting_since = models.DateTimeField(null=True)
    """When its file arrived, while it waits for its rendering to begin."""

    rendering_until = models.DateTimeField(null=True)
    """Until then it is leased to a message for a worker, or to the worker that renders it."""

    is_posted = models.BooleanField(default=False, db_default=False)
    """Moves with the post.  Others see a photo, and the sweep spares it, only while this is true."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["check_after"], condition=Q(is_posted=False), name="photo_unposted_due_first"),
            models.Index(
                fields=["owner", "waiting_since"], condition=Q(state="pending"), name="photo_pending_of_owner"
            ),
            models.Index(fields=["owner", "-created_at"], name="photo_of_owner_newest_first"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "ready", "rejected"]), name="photo_state_known"),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(width__isnull=False, height__isnull=False), name="photo_ready_has_size"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} photo {self.id}"


class Post(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    author = models.ForeignKey(Member, models.DB_CASCADE, related_name="posts", db_index=False)
    photo = models.OneToOneField(Photo, models.DO_NOTHING, related_name="post")
    """One post per photo: a phone that repeats its request after a timeout makes no second one.

    Nothing to do in Python: the database refuses to delete a photo that a post shows.
    """

    caption = models.CharField(max_length=MAX_CAPTION_LENGTH, default="", db_default="", blank=True)
    like_count = models.PositiveIntegerField(default=0, db_default=0)
    view_count = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        # Ids are in the order of time, so this serves a member's posts and each followed author of a feed.
        indexes = [models.Index(fields=["author", "-id"], name="post_of_author_newest_first")]

    def __str__(self) -> str:
        return f"post {self.id}"


class Like(models.Model):
    """The newest word of a member on a post.  Taken back, it stays: an older message must not bring it back."""

    pk = models.CompositePrimaryKey("post_id", "member_id")
    post = models.ForeignKey(Post, models.DB_CASCADE, related_name="likes", db_index=False)
    # Without its own index: no query asks for all likes of a member.
    member = models.ForeignKey(Member, models.DB_CASCADE, related_name="likes", db_index=False)
    is_liked = models.BooleanField()
    requested_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.member_id} {'likes' if self.is_liked else 'took back'} {self.post_id}"


class View(models.Model):
    """One for each member, post and hour, of which its key is made: a repeated one adds nothing.

    Without constraints to members and posts: events outlive them, and go by age, a week's partition at a time.
    """

    pk = models.CompositePrimaryKey("viewed_at", "id")
    id = models.UUIDField(editable=False)
    post = models.ForeignKey(Post, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    duration_ms = models.PositiveIntegerField()
    viewed_at = models.DateTimeField()
    """When the hour began."""

    def __str__(self) -> str:
        return f"view {self.id}"
