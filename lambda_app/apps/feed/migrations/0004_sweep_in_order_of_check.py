from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("feed", "0003_photo_attempts")]

    operations = [
        AddIndexConcurrently(
            "photo",
            models.Index(
                condition=models.Q(("is_posted", False)), fields=["check_after"], name="photo_unposted_due_first"
            ),
        ),
        RemoveIndexConcurrently("photo", "photo_pending_late_first"),
        RemoveIndexConcurrently("photo", "photo_unposted_oldest_first"),
    ]
