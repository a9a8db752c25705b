"""Make the tables of the platform and of the bank in an empty database."""

import tests.chaos.tasks.settings  # noqa: F401 - declares the bank's tasks before anything reads the topology
from serverless_django.warmup import start_django

start_django()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tests.chaos.tasks import books  # noqa: E402

call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute(books.SCHEMA)
