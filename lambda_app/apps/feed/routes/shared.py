from django.http import HttpRequest, HttpResponse
from ninja import Router

from lambda_app.apps.feed.schemas import Id, SharedPostOut
from lambda_app.apps.feed.services import shared_posts
from serverless_django.budgets import budget

router = Router(tags=["shared posts"])

SECONDS = int(shared_posts.FRESH.total_seconds())
CACHE_CONTROL = f"public, max-age={SECONDS}, stale-while-revalidate={2 * SECONDS}"


@router.get("/shared/{post_id}", response=SharedPostOut, auth=None, summary="A post, for everyone who has its link")
@budget(queries=1)
def read_shared_post(request: HttpRequest, post_id: Id) -> HttpResponse:
    """Needs no token and is the same for every client, so phones and CDNs may keep it for half a minute."""
    body = shared_posts.read_shared_post(post_id)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": CACHE_CONTROL})
