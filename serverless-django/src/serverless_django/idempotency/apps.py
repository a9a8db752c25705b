from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "serverless_django.idempotency"
    label = "serverless_idempotency"

    def purge(self) -> None:
        """Delete stored answers that are too old to be sent again.  Called once a day, as `purge` of every app."""
        from serverless_django.idempotency import answers

        answers.purge()
