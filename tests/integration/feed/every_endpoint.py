"""A request for every endpoint of the API, by a member of a seeded population."""

from uuid import UUID

from lambda_app.apps.feed.models import Member, Post
from lambda_app.apps.feed.population import FIRST_READER, POST, Population, uuid_of
from tests.integration.feed.conftest import make_photo

POPULATION = Population(1_000)
JSON = "application/json"
A_POST: UUID = uuid_of(POST, 567)
AUTHOR = f"member-{POPULATION.first_author + 3:08}"


REQUESTS = {
    "GET /v1/feed": lambda client: client.get("/v1/feed"),
    "GET /v1/posts": lambda client: client.get("/v1/posts"),
    "POST /v1/posts": lambda client: client.post("/v1/posts", {"photo_id": str(ready_photo())}, content_type=JSON),
    "GET /v1/posts/{post_id}": lambda client: client.get(f"/v1/posts/{A_POST}"),
    "DELETE /v1/posts/{post_id}": lambda client: client.delete(f"/v1/posts/{own_post()}"),
    "PUT /v1/posts/{post_id}/like": lambda client: client.put(f"/v1/posts/{A_POST}/like"),
    "DELETE /v1/posts/{post_id}/like": lambda client: client.delete(f"/v1/posts/{A_POST}/like"),
    "POST /v1/views": lambda client: client.post("/v1/views", {"views": [{"post_id": A_POST}]}, content_type=JSON),
    "GET /v1/members/{handle}": lambda client: client.get(f"/v1/members/{AUTHOR}"),
    "GET /v1/members/{handle}/posts": lambda client: client.get(f"/v1/members/{AUTHOR}/posts"),
    "PUT /v1/members/{handle}/follow": lambda client: client.put(f"/v1/members/{AUTHOR}/follow"),
    "DELETE /v1/members/{handle}/follow": lambda client: client.delete(f"/v1/members/{AUTHOR}/follow"),
    "POST /v1/photos": lambda client: client.post(
        "/v1/photos", {"content_type": "image/png", "size": 1}, content_type=JSON
    ),
    "GET /v1/shared/{post_id}": lambda client: client.get(f"/v1/shared/{A_POST}"),
    "GET /v1/photos/{photo_id}": lambda client: client.get(f"/v1/photos/{ready_photo()}"),
}


READER = f"seed-{POPULATION.posts}-{FIRST_READER}"


def ready_photo():
    return make_photo(reader()).id


def own_post():
    return Post.objects.create(author=reader(), photo=make_photo(reader(), is_posted=True)).id


def reader():
    return Member.objects.get(subject=READER)
