from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from lambda_app.apps.feed import queries
from lambda_app.apps.feed.authentication import MemberRequest
from lambda_app.apps.feed.errors import TooManyError
from lambda_app.apps.feed.identifiers import view_id
from lambda_app.apps.feed.payloads import LikeRequest, ViewReport, to_json
from lambda_app.apps.feed.responses import empty_response
from lambda_app.apps.feed.schemas import Id, NewPost, NewViews, PageQuery, PostOut, PostPage, ViewsAccepted
from lambda_app.apps.feed.services import posts
from lambda_app.apps.feed.tasks import record_likes, record_views
from serverless_django.budgets import budget

router = Router(tags=["posts"])

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MAX_VIEWS = {MINUTE: 1_000, DAY: 10_000}
"""Views of a member in each period: a row each, so that no account can fill the database."""


@router.get("/feed", response=PostPage, summary="Posts of the members that you follow, newest first")
@budget(queries=3, response_bytes=120_000)
def read_feed(request: MemberRequest, page: Query[PageQuery]) -> PostPage:
    return queries.read_feed(viewer=request.auth, page=page)


@router.get("/posts", response=PostPage, summary="Your own posts, newest first")
@budget(queries=3)
def read_own_posts(request: MemberRequest, page: Query[PageQuery]) -> PostPage:
    return queries.read_posts_by(author_id=request.auth.id, viewer=request.auth, page=page)


@router.post("/posts", response={201: PostOut, 200: PostOut}, summary="Post a photo that is ready")
@budget(queries=6)
def create_post(request: MemberRequest, body: NewPost) -> Status[PostOut]:
    """Repeated with the same photo and caption it answers 200 and the post that exists."""
    # In one transaction: the post cannot be deleted between its making and its reading.
    with transaction.atomic():
        post_id, is_new = posts.publish_post(author=request.auth, photo_id=body.photo_id, caption=body.caption)
        return Status(201 if is_new else 200, queries.read_post(post_id=post_id, viewer=request.auth))


@router.get("/posts/{post_id}", response=PostOut, summary="One post")
@budget(queries=3)
def read_post(request: MemberRequest, post_id: Id) -> PostOut:
    return queries.read_post(post_id=post_id, viewer=request.auth)


@router.delete("/posts/{post_id}", response={204: None}, summary="Delete a post of yours")
@budget(queries=4)
def delete_post(request: MemberRequest, post_id: Id) -> HttpResponse:
    posts.delete_post(author=request.auth, post_id=post_id)
    return empty_response(204)


@router.put("/posts/{post_id}/like", response={202: None}, summary="Like a post")
@budget(queries=3)
def like_post(request: MemberRequest, post_id: Id) -> HttpResponse:
    """Recorded through a queue: the counter follows within seconds."""
    return _send_like(request.auth.id, post_id, is_liked=True)


@router.delete("/posts/{post_id}/like", response={202: None}, summary="Take a like back")
@budget(queries=3)
def unlike_post(request: MemberRequest, post_id: Id) -> HttpResponse:
    """Recorded through a queue: the counter follows within seconds."""
    return _send_like(request.auth.id, post_id, is_liked=False)


@router.post("/views", response={202: ViewsAccepted}, summary="Report that posts were seen")
@budget(queries=3)
def report_views(request: MemberRequest, body: NewViews) -> ViewsAccepted:
    """Recorded through a queue, where views of posts that do not exist are dropped.

    A post counts once for each member and hour.  429 with Retry-After above 1,000 views a minute or 10,000 a day.
    """
    durations = {view.post_id: view.duration_ms for view in reversed(body.views)}
    _charge_views(request, len(durations))
    # The hour and the id are the key of the row: what is reported or delivered again is there already.
    report = ViewReport(
        member_id=request.auth.id,
        viewed_at=timezone.now().replace(minute=0, second=0, microsecond=0),
        events=[(view_id(request.auth.id, post_id), post_id, duration) for post_id, duration in durations.items()],
    )
    record_views.enqueue([to_json(report)])
    return ViewsAccepted(accepted=len(durations), repeated=len(body.views) - len(durations))


def _charge_views(request: MemberRequest, number: int) -> None:
    if wait := request.charge("views", number, MAX_VIEWS):
        raise TooManyError(
            f"a member may report {MAX_VIEWS[MINUTE]:,} views a minute and {MAX_VIEWS[DAY]:,} a day; "
            f"these {number:,} are too many now, and none is counted",
            retry_after=wait,
        )


def _send_like(member_id: UUID, post_id: UUID, *, is_liked: bool) -> HttpResponse:
    queries.check_post_exists(post_id)
    like = LikeRequest(post_id=post_id, member_id=member_id, is_liked=is_liked, requested_at=timezone.now())
    record_likes.enqueue([to_json(like)])
    return empty_response(202)
