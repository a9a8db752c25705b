"""What a project tells this library in its settings: `SERVERLESS = {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}`."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from serverless_django.contract.resources import Topology


def topology() -> Topology:
    """Return the project's topology.  Raise ImproperlyConfigured if its settings name none."""
    return topology_of(getattr(settings, "SERVERLESS", {}))


def bucket_names() -> Mapping[str, str]:
    """Return the name in S3 of each bucket of the topology."""
    return getattr(settings, "BUCKET_NAMES", {})


def topology_of(serverless: Mapping[str, Any]) -> Topology:
    """Return the topology that the setting `serverless` holds, as an object or as a dotted path.

    Raise ImproperlyConfigured if it names none.
    """
    declared = serverless.get("TOPOLOGY")
    found = import_string(declared) if isinstance(declared, str) else declared
    if not isinstance(found, Topology):
        raise ImproperlyConfigured(
            f"SERVERLESS['TOPOLOGY'] is {declared!r}, which is not a Topology; "
            'set it to the dotted path of yours, such as "lambda_app.topology.TOPOLOGY"'
        )
    return found
