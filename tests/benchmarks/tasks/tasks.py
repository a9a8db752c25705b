"""One bulk task, written as an app would write it."""

from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection

from serverless_django.tasks import task

INSERT = """
    INSERT INTO tasks_reading (id, device_id, position, value, read_at)
    SELECT * FROM json_to_recordset(%s::json)
    AS reading (id uuid, device_id uuid, position smallint, value float8, read_at timestamptz)
    ON CONFLICT DO NOTHING
"""


class NewReading(msgspec.Struct, frozen=True):
    id: UUID
    device_id: UUID
    position: int
    value: float
    read_at: datetime


@task(queue_name="views", bulk=True)
def insert_readings(readings: list[NewReading]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [msgspec.json.encode(readings).decode()])


@task(queue_name="default")
def do_nothing(number: int) -> None:
    """For the cost of enqueueing."""
