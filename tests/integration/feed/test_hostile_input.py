import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_app.apps.feed.models import Photo, Post
from tests.integration.feed.conftest import make_member, make_photo

pytestmark = pytest.mark.django_db

NUMBERS = st.integers(-(10**30), 10**30) | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(st.characters(), max_size=20) | st.uuids().map(str)
NAMES = st.sampled_from(["photo_id", "caption", "content_type", "views", "post_id", "duration_ms"]) | st.text(
    max_size=5
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)

each_once = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("path", ["/v1/posts", "/v1/photos", "/v1/views"])
@each_once
@given(body=VALUES)
def test_no_body_breaks_the_api(ada, queue, path, body):
    response = ada.post(path, json.dumps(body), content_type="application/json")

    assert response.status_code in (400, 404, 422)


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/posts", "/v1/members/ada/posts"])
@each_once
@given(cursor=st.text(max_size=30), limit=st.text(max_size=6))
def test_no_query_breaks_the_api(ada, path, cursor, limit):
    response = ada.get(path, query_params={"cursor": cursor, "limit": limit})

    assert response.status_code in (200, 422)


@each_once
@given(caption=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200))
def test_every_caption_that_can_be_stored_comes_back_as_it_was(ada, caption):
    photo = make_photo(make_member("ada"), state=Photo.State.READY)

    response = ada.post("/v1/posts", {"photo_id": str(photo.id), "caption": caption}, content_type="application/json")

    assert (response.status_code, response.json()["caption"]) == (201, caption)
    assert Post.objects.get(photo=photo).caption == caption
