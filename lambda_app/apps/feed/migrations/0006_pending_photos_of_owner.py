from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("feed", "0005_photo_leases")]

    operations = [
        AddIndexConcurrently(
            "photo",
            models.Index(
                condition=models.Q(("state", "pending")),
                fields=["owner", "waiting_since"],
                name="photo_pending_of_owner",
            ),
        ),
    ]
