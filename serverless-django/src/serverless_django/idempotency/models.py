from django.db import models
from django.db.models.functions import Now


class StoredAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, written in the transaction of its effect."""

    key = models.BinaryField(primary_key=True, max_length=32)
    """A digest of who asked and of the key that they chose."""

    fingerprint = models.BinaryField(max_length=32)
    """A digest of what they asked for."""

    status = models.SmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "serverless_answer"
        indexes = [models.Index(fields=["created_at"], name="answer_oldest_first")]

    def __str__(self) -> str:
        return f"answer {self.status} of {self.created_at}"
