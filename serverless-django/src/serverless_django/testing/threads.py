"""Calls at the same time, each on its own database connection."""

from collections.abc import Callable
from threading import Thread

from django.db import connection


def run_in_threads(*calls: Callable[[], object]) -> list[Exception]:
    """Run `calls` at the same time and return the exceptions that they raised, in no order.

    Each has its own database connection, so the test should be `django_db(transaction=True)`.
    """
    failures: list[Exception] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures
