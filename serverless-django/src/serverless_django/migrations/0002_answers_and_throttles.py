from django.db import migrations


class Migration(migrations.Migration):
    """Empty: the apps `idempotency` and `throttling` now make the tables that it made."""

    dependencies = [("serverless", "0001_tasks")]
