"""From a phone's request to the row that its task wrote, through the whole laptop cloud."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from serverless_django.local.running import RunningCloud
from tests.demo.phone import Phone
from tests.demo.photographs import photograph
from tests.e2e.conftest import make_laptop

POLL_SECONDS = 0.005
PATIENCE_SECONDS = 60


def measure_end_to_end(samples: int) -> list[float]:
    """Return, for each view of a post, the milliseconds until the post tells of it.  Start its own cloud."""
    with _running_cloud() as phone:
        post = _publish(phone)
        return [_time_view(phone, post, views=number) for number in range(1, samples + 1)]


@contextmanager
def _running_cloud() -> Iterator[Phone]:
    with TemporaryDirectory(prefix="e2e-") as folder:
        laptop = make_laptop(Path(folder))
        try:
            laptop.start()
            cloud = RunningCloud.find(laptop.state)
            yield Phone(url=cloud.url, member="ada", token=cloud.issue_token("ada"))
        finally:
            laptop.stop()


def _publish(phone: Phone) -> str:
    photo = phone.upload(
        content_type="image/jpeg", file=photograph("JPEG", width=400, height=300, seed=1), filename="photo.jpg"
    )
    phone.settled_photo(photo, within_seconds=PATIENCE_SECONDS)
    post: dict[str, Any] = phone.publish(photo_id=photo, caption="seen often")
    return str(post["id"])


def _time_view(phone: Phone, post: str, *, views: int) -> float:
    started = time.perf_counter()
    phone.view([post])
    while phone.post(post)["view_count"] < views:
        if time.perf_counter() - started > PATIENCE_SECONDS:
            raise TimeoutError(f"view {views} of {post} was not counted in {PATIENCE_SECONDS} s")
        time.sleep(POLL_SECONDS)
    return (time.perf_counter() - started) * 1000
