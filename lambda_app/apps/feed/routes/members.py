from typing import Annotated

from django.http import HttpResponse
from ninja import Path, Query, Router

from lambda_app.apps.feed import queries
from lambda_app.apps.feed.authentication import MemberRequest
from lambda_app.apps.feed.responses import empty_response
from lambda_app.apps.feed.schemas import Handle, MemberOut, PageQuery, PostPage
from lambda_app.apps.feed.services import members
from serverless_django.budgets import budget

router = Router(tags=["members"])

HandleInPath = Annotated[Handle, Path()]


@router.get("/members/{handle}", response=MemberOut, summary="A member")
@budget(queries=3)
def read_member(request: MemberRequest, handle: HandleInPath) -> MemberOut:
    return queries.read_member(handle=handle, viewer=request.auth)


@router.get("/members/{handle}/posts", response=PostPage, summary="A member's posts, newest first")
@budget(queries=4)
def read_posts_of_member(request: MemberRequest, handle: HandleInPath, page: Query[PageQuery]) -> PostPage:
    return queries.read_posts_of(handle=handle, viewer=request.auth, page=page)


@router.put("/members/{handle}/follow", response={204: None}, summary="Follow a member")
@budget(queries=8)
def follow_member(request: MemberRequest, handle: HandleInPath) -> HttpResponse:
    members.follow_member(follower=request.auth, handle=handle)
    return empty_response(204)


@router.delete("/members/{handle}/follow", response={204: None}, summary="Follow a member no longer")
@budget(queries=6)
def unfollow_member(request: MemberRequest, handle: HandleInPath) -> HttpResponse:
    members.unfollow_member(follower=request.auth, handle=handle)
    return empty_response(204)
