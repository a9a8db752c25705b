from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("linted", "0001_initial")]

    operations = [migrations.RemoveField("Note", "slug")]
