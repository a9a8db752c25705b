"""What a bucket is declared to be, its storage is: served forever, or closed to what a task makes."""

import subprocess
import sys
from urllib.parse import unquote

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from hypothesis import given
from hypothesis import strategies as st

from serverless_django.checks import storages_that_loop
from serverless_django.contract.resources import Bucket, ObjectTrigger, Queue, Topology
from serverless_django.s3.bucket import BucketStorage, TriggeringWriteError
from serverless_django.s3.storage import S3Storage
from serverless_django.settings import S3_STORAGE, storage_options

TOPOLOGY = Topology(
    queues=(Queue(name="default"),),
    buckets=(Bucket(name="in"), Bucket(name="out", immutable=True)),
    object_triggers=(ObjectTrigger(bucket="in", prefix="raw/", task="tests.sample_tasks.note"),),
)
NAMES = {"in": "dev-in-1x", "out": "dev-out-2y"}


def options_of(name, domain=""):
    bucket = next(bucket for bucket in TOPOLOGY.buckets if bucket.name == name)
    return storage_options(TOPOLOGY, bucket, name=NAMES[name], domain=domain)


def test_objects_that_never_change_may_be_kept_forever():
    parameters = options_of("out")["object_parameters"]

    assert parameters["CacheControl"] == "public, max-age=31536000, immutable"
    assert parameters["ContentDisposition"] == "attachment"
    assert "object_parameters" not in options_of("in")


def test_a_bucket_behind_a_cdn_is_linked_by_its_domain():
    storage = BucketStorage(**options_of("out", domain="media.example.com"))

    assert storage.url("pictures/a.webp") == "https://media.example.com/pictures/a.webp"


KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda key: {".", ".."}.isdisjoint(key.split("/"))
)


@given(key=KEYS)
def test_an_object_at_a_cdn_has_one_address(key):
    one, other = (S3Storage(**options_of("out", domain="media.example.com")) for _ in range(2))

    url = one.url(key)

    assert url == other.url(key, expire=60)
    assert unquote(url) == f"https://media.example.com/{key}"
    assert "?" not in url


def test_a_link_to_a_cdn_loads_no_boto3():
    code = """
import sys
from django.conf import settings
from serverless_django.s3.storage import S3Storage
settings.configure()
assert S3Storage(bucket_name="b", custom_domain="media.example.com").url("a") == "https://media.example.com/a"
assert "boto3" not in sys.modules
"""

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["a/../b", "./a", "a/."])
def test_no_link_to_a_cdn_is_made_that_clients_would_resolve_to_another_object(name):
    with pytest.raises(SuspiciousOperation):
        S3Storage(**options_of("out", domain="media.example.com")).url(name)


@pytest.mark.parametrize("name", ["raw/a", "raw/deep/er"])
def test_what_would_call_a_task_again_is_not_saved(name):
    storage = BucketStorage(**options_of("in"))

    with pytest.raises(TriggeringWriteError, match="would call the task of trigger 'raw/' again; save what a task"):
        storage.save(name, ContentFile(b""))


def test_a_storage_that_would_save_it_is_reported(settings):
    settings.STORAGES = {"in": {"BACKEND": S3_STORAGE, "OPTIONS": {"bucket_name": "dev-in-1x"}}}

    (fault,) = storages_that_loop(TOPOLOGY)

    assert (fault.id, fault.obj.name) == ("serverless.E005", "in")


def test_storages_with_the_options_of_their_buckets_are_right(settings):
    settings.STORAGES = {name: {"BACKEND": S3_STORAGE, "OPTIONS": options_of(name)} for name in NAMES}

    assert list(storages_that_loop(TOPOLOGY)) == []
