from django.db import models


class Reading(models.Model):
    """What a message becomes: a row of five columns."""

    id = models.UUIDField(primary_key=True)
    device_id = models.UUIDField()
    position = models.SmallIntegerField()
    value = models.FloatField()
    read_at = models.DateTimeField()

    class Meta:
        app_label = "tasks"

    def __str__(self) -> str:
        return f"reading {self.id}"
