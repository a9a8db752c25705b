from django.db import migrations, models

# IF NOT EXISTS: earlier releases made the table with those of the tasks.  A row is moved by each write and lost without
# harm: no log of it, and room beside it for its next version.
CREATE = """
    CREATE UNLOGGED TABLE IF NOT EXISTS serverless_throttle (
        id uuid NOT NULL PRIMARY KEY, full_at timestamp with time zone NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01)
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.RunSQL(
            CREATE,
            "DROP TABLE serverless_throttle",
            state_operations=[
                migrations.CreateModel(
                    name="Bucket",
                    fields=[
                        ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ("full_at", models.DateTimeField()),
                    ],
                    options={"db_table": "serverless_throttle"},
                )
            ],
        )
    ]
