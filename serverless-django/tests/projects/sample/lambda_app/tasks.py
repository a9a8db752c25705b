from typing import Any

from serverless_django.tasks import task


@task(queue_name="likes", bulk=True, direct=True)
def count_likes(likes: list[Any]) -> None:
    """The bulk task of the sample events."""


@task(bulk=True)
def receive_pictures(pictures: list[Any]) -> None:
    """The task of an object under pictures/."""


@task
def tidy() -> None:
    """The task of a schedule."""


@task
def greet(name: str) -> None:
    """A task with an argument."""
