from django.db import models


class Bucket(models.Model):
    """What a member or an address has used up: full again at `full_at`."""

    id = models.UUIDField(primary_key=True, editable=False)
    """A digest of whom it belongs to."""

    full_at = models.DateTimeField()

    class Meta:
        db_table = "serverless_throttle"

    def __str__(self) -> str:
        return f"bucket {self.id}"
