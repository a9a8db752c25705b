"""Weekly partitions of the views: made before the first view of a week, dropped when no query reads it any more."""

from django.db import connection


def maintain_view_partitions() -> list[str]:
    """Make the partitions of this week and the next four, drop those of thirteen weeks ago; return which.

    Safe to repeat.  The work is a function of the database, with its owner's rights: the application makes no tables.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT feed_maintain_view_partitions()")
        (changed,) = cursor.fetchone()
    return list(changed)
