"""Requests, messages and objects through the deployed code, and what happens when parts of it die."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lambda_app.apps.feed.services import shared_posts
from serverless_django.caching.valkey import ValkeyCache
from serverless_django.deploy.node import cdk_cli
from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import Laptop, Phone, empty_queues, eventually


def test_the_demo_holds(laptop: Laptop, cloud: RunningCloud, aws: Callable[[str], Any]) -> None:
    # It promises that the queues run empty, and another test's bad message would stay there for minutes.
    empty_queues(aws("sqs"))

    demo = subprocess.run(
        [sys.executable, "-m", "tests.demo.demo"], cwd=laptop.project, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "dead letters 0" in demo.stdout


def test_the_deployed_template_is_the_synthesized_one(laptop: Laptop, cloud: RunningCloud) -> None:
    cdk = cdk_cli()
    path = f"{laptop.project / '.venv' / 'bin'}:{os.environ['PATH']}"

    subprocess.run(
        [cdk, "synth", "--quiet", "--strict", "--context", "stage=local"],
        cwd=laptop.project, env=os.environ | {"PATH": path}, check=True, capture_output=True,
    )  # fmt: skip

    deployed = sorted((laptop.state / "cdk" / "assembly").glob("*.template.json"))
    assert len(deployed) == 2
    for template in deployed:
        assert template.read_bytes() == (laptop.project / "cdk.out" / template.name).read_bytes()


def test_an_edited_file_takes_effect_at_the_next_request(laptop: Laptop, cloud: RunningCloud) -> None:
    module = laptop.project / "lambda_app" / "urls.py"
    original = module.read_text()
    stranger = Phone(cloud.url)
    assert stranger.request("GET", "/healthz").json == {"status": "ok"}

    view = 'lambda request: JsonResponse({"status": "edited"})'
    added = f'from django.http import JsonResponse\nurlpatterns.insert(0, path("healthz", {view}))\n'
    module.write_text(original + added)
    try:
        answer = eventually(lambda: _edited(stranger), within=timedelta(seconds=15))
    finally:
        module.write_text(original)

    assert answer == {"status": "edited"}


def _edited(phone: Phone) -> Any:
    body = phone.request("GET", "/healthz").json
    return body if body == {"status": "edited"} else None


def test_bad_requests_get_clear_errors(cloud: RunningCloud, phone: Callable[[str], Phone]) -> None:
    ada = phone("ada")

    broken, unknown = ada.request("POST", "/v1/posts", b"{broken"), ada.request("GET", "/nowhere")
    forged = Phone(cloud.url, "not.a.token").request("GET", "/v1/feed")

    assert (broken.status, unknown.status, forged.status) == (400, 404, 401)
    for answer in (broken, unknown):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_shared_post_lies_in_the_cache_that_the_function_signed_in_to(
    laptop: Laptop, cloud: RunningCloud, phone: Callable[[str], Phone], ready_photo: Callable[[Phone], str]
) -> None:
    ada = phone("ada")
    post = ada.request("POST", "/v1/posts", {"photo_id": ready_photo(ada), "caption": "shared"}).json["id"]
    cache = ValkeyCache(
        cloud.variables["SERVERLESS_CACHE_URL"],
        {
            "KEY_PREFIX": "local:2",
            "OPTIONS": {
                "iam_name": cloud.variables["SERVERLESS_CACHE_NAME"],
                "ssl_ca_certs": cloud.variables["SERVERLESS_CACHE_CA_BUNDLE"],
            },
        },
    )

    def kept() -> Any:
        assert Phone(cloud.url).request("GET", f"/v1/shared/{post}").status == 200
        return cache.get(shared_posts._key(UUID(post)))

    # A busy machine may take longer than the cache is waited for, and then it is not asked for 5 s.
    found = eventually(kept, within=timedelta(seconds=30))
    cache.disconnect()
    assert json.loads(found)["caption"] == "shared"
    logs = b"".join(path.read_bytes() for path in (laptop.state / "logs").rglob("*") if path.is_file())
    assert not re.search(rb"NOPERM|WRONGPASS|NOAUTH|AuthenticationError|NoPermissionError", logs)


@pytest.mark.nightly
def test_killing_the_workers_loses_nothing_of_two_thousand_likes_and_as_many_views(
    laptop: Laptop,
    cloud: RunningCloud,
    phone: Callable[[str], Phone],
    ready_photo: Callable[[Phone], str],
) -> None:
    ada = phone("ada")
    post = ada.request("POST", "/v1/posts", {"photo_id": ready_photo(ada), "caption": "liked"}).json
    views = {"views": [{"post_id": post["id"], "duration_ms": 900}] * 2}
    like_of_post = f"/v1/posts/{post['id']}/like"

    def view_and_like(number: int) -> set[int]:
        fan = Phone(cloud.url, cloud.issue_token(f"fan-{number}"))
        if number % 200 == 0:
            _kill_workers(cloud)
        return {fan.request("POST", "/v1/views", views).status, fan.request("PUT", like_of_post).status}

    with ThreadPoolExecutor(8) as fans:
        statuses = set().union(*fans.map(view_and_like, range(2_000)))

    assert statuses == {202}
    # What was killed is delivered again after the queue's visibility timeout.
    eventually(lambda: sum(_counts(ada, post["id"])) >= 4_000, within=timedelta(minutes=3))
    assert _counts(ada, post["id"]) == (2_000, 2_000)


def _counts(phone: Phone, post: str) -> tuple[int, int]:
    """Return likes and views."""
    seen = phone.request("GET", f"/v1/posts/{post}").json
    return int(seen["like_count"]), int(seen["view_count"])


def _kill_workers(cloud: RunningCloud) -> None:
    for environment in cloud.environments():
        if environment["source"] == "sqs":
            _kill(environment["pid"])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_only_the_bad_message_of_a_batch_is_left(
    cloud: RunningCloud, aws: Callable[[str], Any], phone: Callable[[str], Phone], ready_photo: Callable[[Phone], str]
) -> None:
    ada, sqs = phone("ada"), aws("sqs")
    post = ada.request("POST", "/v1/posts", {"photo_id": ready_photo(ada), "caption": "liked"}).json
    url = sqs.get_queue_url(QueueName=_queue_name(sqs, "likes"))["QueueUrl"]

    sqs.send_message(QueueUrl=url, MessageBody="not a task")
    assert ada.request("PUT", f"/v1/posts/{post['id']}/like").status == 202

    eventually(
        lambda: ada.request("GET", f"/v1/posts/{post['id']}").json["like_count"] == 1, within=timedelta(seconds=30)
    )
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessages"]) + int(left["ApproximateNumberOfMessagesNotVisible"]) == 1
    sqs.purge_queue(QueueUrl=url)


def _queue_name(sqs: Any, queue: str) -> str:
    names = [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]]
    [name] = [name for name in names if queue in name.lower() and "deadletters" not in name.lower()]
    return name


def test_a_stop_or_a_crash_leaves_no_process_and_a_stop_keeps_all_data(
    laptop: Laptop, cloud: RunningCloud, phone: Callable[[str], Phone], ready_photo: Callable[[Phone], str]
) -> None:
    ada = phone("ada")
    post = ada.request("POST", "/v1/posts", {"photo_id": ready_photo(ada), "caption": "kept"}).json

    laptop.stop(signal.SIGTERM)
    assert laptop.processes() == []
    seconds = laptop.start()

    again = RunningCloud.find(laptop.state)
    kept = Phone(again.url, again.issue_token("ada")).request("GET", f"/v1/posts/{post['id']}")
    assert kept.json["caption"] == "kept"
    assert seconds < 60

    laptop.stop(signal.SIGKILL)
    eventually(lambda: not laptop.processes(), within=timedelta(seconds=10))


def test_a_schedule_writes_a_task_message(cloud: RunningCloud, aws: Callable[[str], Any]) -> None:
    scheduler = aws("scheduler")
    schedules = scheduler.list_schedules()["Schedules"]
    schedule = next(item for item in schedules if "abandoned" in item["Name"].lower())
    declared = scheduler.get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    before = cloud.totals()

    scheduler.create_schedule(
        Name="soon",
        ScheduleExpression="at(2026-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=declared["Target"],
    )
    try:
        eventually(lambda: _grown(cloud, before, "sqs invocations") > 0, within=timedelta(seconds=20))
    finally:
        scheduler.delete_schedule(Name="soon")
    assert _grown(cloud, before, "sqs errors") == 0


def _grown(cloud: RunningCloud, before: Mapping[str, int], count: str) -> int:
    return cloud.totals().get(count, 0) - before.get(count, 0)
