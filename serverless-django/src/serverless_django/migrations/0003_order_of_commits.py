"""Calls of a FIFO group get their position when they commit, in the order in which they do."""

from django.db import migrations, models

# Two commits of one group wait for each other: the second takes its positions once the first can be seen, so that
# a session that sees a position sees all before it. Rows without one are the transaction's own, since others get theirs
# before they are seen: one look finds them all, and groups are locked in one order everywhere.
#
# In two steps, because these locks must be the last that a commit takes: deferred constraints, such as Django's
# foreign keys, wait for rows at the commit, too, and a second step begins when all of the first are done.
PLACE = """
    CREATE SEQUENCE serverless_outbox_position;
    -- Rows go when they are sent: the table is small, and an index is made in milliseconds.
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX serverless_outbox_unplaced ON serverless_outbox (id) WHERE position <= 0 AND message_group <> '';
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX outbox_groups_in_order ON serverless_outbox (queue, message_group, position)
    WHERE NOT (message_group = '');

    CREATE FUNCTION serverless_outbox_begin_placing() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM serverless_outbox WHERE position < 0 AND message_group <> '') THEN
            UPDATE serverless_outbox SET position = -1 WHERE id = NEW.id AND position = 0;
        END IF;
        RETURN NULL;
    END $$;

    CREATE FUNCTION serverless_outbox_place() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock('serverless_outbox'::regclass::oid::integer, line) FROM (
            SELECT DISTINCT hashtext(queue || '/' || message_group) AS line
            FROM serverless_outbox WHERE position <= 0 AND message_group <> '' ORDER BY line
        ) AS lines;
        WITH placed AS MATERIALIZED (
            SELECT id, nextval('serverless_outbox_position') AS position
            FROM (SELECT id FROM serverless_outbox WHERE position <= 0 AND message_group <> '' ORDER BY id) AS own
        )
        UPDATE serverless_outbox AS call SET position = placed.position FROM placed WHERE call.id = placed.id;
        RETURN NULL;
    END $$;

    CREATE CONSTRAINT TRIGGER serverless_outbox_begin_placing AFTER INSERT ON serverless_outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.message_group <> '')
    EXECUTE FUNCTION serverless_outbox_begin_placing();

    CREATE CONSTRAINT TRIGGER serverless_outbox_place AFTER UPDATE OF position ON serverless_outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.position < 0)
    EXECUTE FUNCTION serverless_outbox_place();
"""
FORGET = """
    DROP TRIGGER serverless_outbox_place ON serverless_outbox;
    DROP TRIGGER serverless_outbox_begin_placing ON serverless_outbox;
    DROP FUNCTION serverless_outbox_place;
    DROP FUNCTION serverless_outbox_begin_placing;
    DROP INDEX outbox_groups_in_order;
    DROP INDEX serverless_outbox_unplaced;
    DROP SEQUENCE serverless_outbox_position;
"""
# What waits from before has the order of its ids, which is nearly that of its commits.
PLACE_WAITING = "UPDATE serverless_outbox SET position = -1 WHERE message_group <> ''"


class Migration(migrations.Migration):
    dependencies = [("serverless", "0002_answers_and_throttles")]

    operations = [
        migrations.AddField(
            model_name="deferredcall",
            name="position",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PLACE, FORGET)],
            state_operations=[
                migrations.AddIndex(
                    model_name="deferredcall",
                    index=models.Index(
                        fields=["queue", "message_group", "position"],
                        condition=~models.Q(message_group=""),
                        name="outbox_groups_in_order",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(PLACE_WAITING, migrations.RunSQL.noop),
    ]
