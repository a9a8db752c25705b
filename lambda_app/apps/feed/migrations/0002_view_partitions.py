"""Views in partitions by week: made four weeks ahead, dropped after thirteen, by a function that the app may call."""

from typing import Any

from django.db import migrations, models
from django.db.models import deletion

PARTITIONED = """
    ALTER TABLE feed_view RENAME TO feed_view_whole;
    ALTER INDEX feed_view_pkey RENAME TO feed_view_whole_pkey;
    CREATE TABLE feed_view (
        id uuid NOT NULL,
        duration_ms integer NOT NULL CHECK (duration_ms >= 0),
        viewed_at timestamptz NOT NULL,
        member_id uuid NOT NULL,
        post_id uuid NOT NULL,
        PRIMARY KEY (viewed_at, id)
    ) PARTITION BY RANGE (viewed_at);
    -- Views of weeks without a partition: none is lost because the schedule did not run.
    CREATE TABLE feed_view_other PARTITION OF feed_view DEFAULT;
"""

# Aside and then attached: creating it in its place would wait for, and hold up, every insert of a view.
MAKE = """
    CREATE FUNCTION feed_make_view_partition(moment timestamptz) RETURNS text
    LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    DECLARE
        first timestamptz := date_trunc('week', moment);
        partition text := 'feed_view_' || to_char(first, 'IYYY"w"IW');
    BEGIN
        IF to_regclass(partition) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE feed_view INCLUDING ALL)', partition);
            EXECUTE format('WITH moved AS (DELETE FROM feed_view_other WHERE viewed_at >= %L AND viewed_at < %L '
                'RETURNING *) INSERT INTO %I SELECT * FROM moved', first, first + interval '7 days', partition);
            EXECUTE format('ALTER TABLE feed_view ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, first, first + interval '7 days');
            RETURN partition;
        END IF;
        RETURN NULL;
    END $$;
"""

# With the rights of its owner, so that the application's role needs none on tables; it takes no arguments,
# so that no caller can make it drop newer weeks.
MAINTAIN = """
    CREATE FUNCTION feed_maintain_view_partitions() RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
    DECLARE
        oldest timestamptz := date_trunc('week', now()) - interval '13 weeks';
        partition text;
        changed text[] := '{}';
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('feed_maintain_view_partitions'));
        FOR week IN 0..4 LOOP
            changed := array_remove(changed || feed_make_view_partition(now() + week * interval '7 days'), NULL);
        END LOOP;
        FOR partition IN
            SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = 'feed_view'::regclass AND relname ~ '^feed_view_[0-9]{4}w[0-9]{2}$'
            AND to_date(right(relname, 7), 'IYYY"w"IW') < oldest
        LOOP
            EXECUTE format('DROP TABLE %I', partition);
            changed := changed || partition;
        END LOOP;
        DELETE FROM feed_view_other WHERE viewed_at < oldest;
        RETURN changed;
    END $$;
"""

FILL = """
    SELECT feed_maintain_view_partitions();
    INSERT INTO feed_view (id, duration_ms, viewed_at, member_id, post_id)
    SELECT id, duration_ms, viewed_at, member_id, post_id FROM feed_view_whole;
    DROP TABLE feed_view_whole;
"""

WHOLE = """
    CREATE TABLE feed_view_whole (
        id uuid CONSTRAINT feed_view_whole_pkey PRIMARY KEY,
        duration_ms integer NOT NULL CHECK (duration_ms >= 0),
        viewed_at timestamptz NOT NULL,
        member_id uuid NOT NULL,
        post_id uuid NOT NULL
    );
    INSERT INTO feed_view_whole (id, duration_ms, viewed_at, member_id, post_id)
    SELECT id, duration_ms, viewed_at, member_id, post_id FROM feed_view ON CONFLICT DO NOTHING;
    DROP FUNCTION feed_maintain_view_partitions();
    DROP FUNCTION feed_make_view_partition(timestamptz);
    DROP TABLE feed_view;
    ALTER TABLE feed_view_whole RENAME TO feed_view;
    ALTER INDEX feed_view_whole_pkey RENAME TO feed_view_pkey;
"""


def _event(name: str) -> Any:
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=deletion.DO_NOTHING, related_name="+", to=f"feed.{name}"
    )


class Migration(migrations.Migration):
    not_linted_because = "Of the first release: no code is older, and no table is big."

    dependencies = [("feed", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PARTITIONED + MAKE + MAINTAIN + FILL, WHOLE)],
            state_operations=[
                migrations.DeleteModel("View"),
                migrations.CreateModel(
                    name="View",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "viewed_at", "id", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("id", models.UUIDField(editable=False)),
                        ("duration_ms", models.PositiveIntegerField()),
                        ("viewed_at", models.DateTimeField()),
                        ("post", _event("post")),
                        ("member", _event("member")),
                    ],
                ),
            ],
        ),
    ]
