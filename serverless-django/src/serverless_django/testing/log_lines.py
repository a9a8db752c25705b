"""The JSON lines that a function writes, as CloudWatch would get them."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from serverless_django.observability.logs import json_handler, logger

type Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def captured_lines(*, level: int = logging.INFO) -> Iterator[Lines]:
    """Yield a reader of the lines written since, each a dictionary, as the deployed formatter writes them.

    `level` is the lowest level that is written.
    """
    handler, stream = cast("logging.StreamHandler[Any]", json_handler()), io.StringIO()
    former, former_level = handler.setStream(stream), logger.log_level
    root = logging.getLogger()
    root_level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logger.setLevel(level)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        handler.setStream(former)
        root.removeHandler(handler)
        root.setLevel(root_level)
        logger.setLevel(former_level)
        logging.getLogger(logger.service).propagate = True
