"""A short Schemathesis in this process; `make test-security` sends ten thousand requests to the running system."""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, given, settings

from tests.integration.feed.conftest import make_member, make_photo, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

CLAIMS = {"sub": "subject-of-ada", "preferred_username": "ada"}
EVENT = {"requestContext": {"authorizer": {"jwt": {"claims": CLAIMS}}}}
TOKEN = "Bearer token"
EXAMPLES = 12

few = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def api(one_connection):
    make_post("ada"), make_photo(make_member("ada"))
    django = WSGIHandler()

    def application(environ, start_response):
        event = EVENT if environ.get("HTTP_AUTHORIZATION") == TOKEN else None
        return django(environ | {"aws.event": event}, start_response)

    return schemathesis.openapi.from_wsgi("/v1/openapi.json", application)


def test_every_answer_is_as_the_document_says(api):
    operations = [each.ok() for each in api.get_all_operations()]

    sent = [sent_to(operation) for operation in operations]

    assert len(operations) == 15
    assert sum(sent) > len(operations) * EXAMPLES / 2


def sent_to(operation):
    """Send some requests to `operation`, and return how many.  Fail if an answer is not as it is described."""
    count = 0

    @few
    @given(case=operation.as_strategy())
    def send(case):
        nonlocal count
        count += 1
        case.call_and_validate(headers={"Authorization": TOKEN})

    send()
    return count
