"""`python -m tests.benchmarks.database.probe`: what the parts of a connection cost, and statements that might pin."""

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from types import SimpleNamespace
from uuid import uuid4

import django

type Costs = dict[str, float]


def main() -> None:
    django.setup()
    costs = measure()
    write_much()
    json.dump(costs, sys.stdout)


def measure() -> Costs:
    """Return medians in microseconds."""
    from django.db import connection

    from serverless_django.postgresql.iam_password import sign_token
    from serverless_django.postgresql.liveness import answers, has_something_to_read
    from serverless_django.postgresql.pins import PinGuard, report

    def query() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    guard, context = PinGuard(report, measures=False), {"cursor": SimpleNamespace(cursor=None)}
    query()
    socket = connection.connection
    statement = "SELECT id, handle, is_active FROM feed_member WHERE subject = %s AND is_active LIMIT 21"
    return {
        "liveness_us": _cost(lambda: has_something_to_read(socket), count=2000),
        "token_us": _cost(lambda: sign_token(host="proxy.example.com", port=5432, user="app"), count=100),
        "guard_us": _cost(lambda: guard(lambda *call: None, statement, ["x"], False, context), count=2000),
        "ping_us": _cost(lambda: answers(socket, within_seconds=1), count=200),
        "query_us": _cost(query, count=200),
        "connect_us": _cost(lambda: (connection.close(), query()), count=1, rounds=25),
    }


def write_much() -> None:
    """Create 5,000 rows, look 2,000 of them up, and record a batch of 500 views, as an app would."""
    from django.utils import timezone

    from lambda_app.apps.feed.models import Member, Photo, Post, View

    rows = [Member(id=uuid4(), subject=f"subject {n}", handle=f"bulk-{n}") for n in range(5_000)]
    members = Member.objects.bulk_create(rows)
    assert Member.objects.filter(id__in=[member.id for member in members[:2_000]]).count() == 2_000
    photo = Photo.objects.create(owner=members[0], content_type="image/jpeg")
    post = Post.objects.create(author=members[0], photo=photo)
    now = timezone.now()
    views = [View(id=uuid4(), post=post, member=member, duration_ms=1, viewed_at=now) for member in members[:500]]
    assert len(View.objects.bulk_create(views, ignore_conflicts=True)) == 500


def _cost(call: Callable[[], object], *, count: int, rounds: int = 15) -> float:
    return median(_one(call, count) for _ in range(rounds))


def _one(call: Callable[[], object], count: int) -> float:
    began = time.perf_counter_ns()
    for _ in range(count):
        call()
    return (time.perf_counter_ns() - began) / count / 1000


if __name__ == "__main__":
    main()
