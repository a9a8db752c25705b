"""A system check: no task can write where the object would call a task again."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from serverless_django.conf import topology
from serverless_django.contract.resources import Topology

S3_STORAGE = "serverless_django.objects.storage.S3Storage"


@checks.register
def check_storages(**kwargs: Any) -> list[checks.CheckMessage]:
    return list(storages_that_loop(topology()))


def storages_that_loop(topology: Topology) -> Iterator[checks.CheckMessage]:
    """Yield E005 for each bucket whose storage would save an object that sets off a task."""
    for bucket in topology.buckets:
        storage, prefixes = settings.STORAGES.get(bucket.name, {}), topology.trigger_prefixes(bucket.name)
        refused = storage.get("OPTIONS", {}).get("trigger_prefixes", ())
        if storage.get("BACKEND") == S3_STORAGE and (missing := sorted(set(prefixes) - set(refused))):
            yield checks.Error(
                f"STORAGES[{bucket.name!r}] saves objects under {missing[0]!r}, which set off a task again",
                hint="Build its OPTIONS with serverless_django.objects.options.storage_options.",
                obj=bucket,
                id="serverless.E005",
            )
