from django.apps import AppConfig


class ThrottlingConfig(AppConfig):
    name = "serverless_django.throttling"
    label = "serverless_throttling"

    def purge(self) -> None:
        """Delete buckets that are full again.  Called once a day, as `purge` of every app."""
        from serverless_django.throttling import buckets

        buckets.purge()
