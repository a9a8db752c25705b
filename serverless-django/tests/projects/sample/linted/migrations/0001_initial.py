from django.contrib.postgres.operations import AddIndexConcurrently, HStoreExtension
from django.db import migrations, models


def read_rows(apps, schema_editor):
    apps.get_model("linted", "Note").objects.get()


class Migration(migrations.Migration):
    initial = True
    atomic = False

    operations = [
        HStoreExtension(),
        migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("slug", models.TextField())]),
        migrations.SeparateDatabaseAndState([migrations.RunPython(read_rows)]),
        AddIndexConcurrently("Note", models.Index("slug", name="by_slug")),
    ]
