import django.db.models.functions.datetime
from django.db import migrations, models

# IF NOT EXISTS: earlier releases made the table with those of the tasks.
CREATE = """
    CREATE TABLE IF NOT EXISTS serverless_answer (
        key bytea NOT NULL PRIMARY KEY, fingerprint bytea NOT NULL, status smallint NOT NULL, headers jsonb NOT NULL,
        body bytea NOT NULL, created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
    );
    CREATE INDEX IF NOT EXISTS answer_oldest_first ON serverless_answer (created_at);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.RunSQL(
            CREATE,
            "DROP TABLE serverless_answer",
            state_operations=[
                migrations.CreateModel(
                    name="StoredAnswer",
                    fields=[
                        ("key", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                        ("fingerprint", models.BinaryField(max_length=32)),
                        ("status", models.SmallIntegerField()),
                        ("headers", models.JSONField()),
                        ("body", models.BinaryField()),
                        (
                            "created_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                        ),
                    ],
                    options={
                        "db_table": "serverless_answer",
                        "indexes": [models.Index(fields=["created_at"], name="answer_oldest_first")],
                    },
                )
            ],
        )
    ]
