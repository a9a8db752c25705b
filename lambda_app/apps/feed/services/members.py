import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from lambda_app.apps.feed.errors import ConflictError, ForbiddenError, NotFoundError
from lambda_app.apps.feed.models import HANDLE_PATTERN, Follow, Member

MAX_FOLLOWING = 5_000
"""A feed asks for the posts of everyone that its member follows."""


def register_member(*, subject: str, preferred_username: str) -> Member:
    """Return the member with `subject`, made at the first call.  Safe to repeat and to race: `subject` is unique.

    The handle stays what it was at the first call.

    Raise ConflictError if another subject has the handle, ForbiddenError if it cannot be a handle.
    """
    member = Member.objects.filter(subject=subject).first()
    if member is not None:
        return member
    handle = preferred_username.lower()
    # Lower case makes a plain k of the Kelvin sign, so that the name itself has to be plain.
    if not preferred_username.isascii() or handle in (".", "..") or not re.fullmatch(HANDLE_PATTERN, handle):
        raise ForbiddenError(
            f"the token's preferred_username {preferred_username[:80]!r} cannot be a handle; "
            "it should be 1 to 64 of the characters a-z, 0-9, '.', '_' and '-', and neither '.' nor '..'"
        )
    try:
        with transaction.atomic():
            return Member.objects.create(subject=subject, handle=handle)
    except IntegrityError as error:
        # Another request of the same member was first, or another member has this name.
        member = Member.objects.filter(subject=subject).first()
        if member is None:
            raise ConflictError(f"the handle {handle!r} belongs to another member; choose another") from error
        return member


@transaction.atomic
def follow_member(*, follower: Member, handle: str) -> None:
    """Safe to repeat: the pair is the key, and the counters move only when it is new.

    Raise NotFoundError if no member has `handle`, ConflictError if it is the follower's own or one too many.
    """
    followed = _read_member_id(handle)
    if followed == follower.id:
        raise ConflictError("members cannot follow themselves")
    _, is_new = Follow.objects.get_or_create(follower=follower, followed_id=followed)
    if is_new:
        _move_follow_counts(follower=follower.id, followed=followed, by=1)
        if Member.objects.filter(id=follower.id, following_count__gt=MAX_FOLLOWING).exists():
            raise ConflictError(f"you follow {MAX_FOLLOWING:,} members, which is the limit; unfollow one first")


@transaction.atomic
def unfollow_member(*, follower: Member, handle: str) -> None:
    """Safe to repeat.  Raise NotFoundError if no member has `handle`."""
    followed = _read_member_id(handle)
    deleted, _ = Follow.objects.filter(follower=follower, followed=followed).delete()
    if deleted:
        _move_follow_counts(follower=follower.id, followed=followed, by=-1)


def _read_member_id(handle: str) -> UUID:
    member_id = Member.objects.filter(handle=handle, is_active=True).values_list("id", flat=True).first()
    if member_id is None:
        raise NotFoundError(f"there is no member {handle!r}")
    return member_id


def _move_follow_counts(*, follower: UUID, followed: UUID, by: int) -> None:
    changes = {follower: {"following_count": F("following_count") + by}}
    changes[followed] = {"follower_count": F("follower_count") + by}
    # Sorted: two members who follow each other at once would otherwise lock each other out.
    for member_id in sorted(changes):
        Member.objects.filter(id=member_id).update(**changes[member_id])
