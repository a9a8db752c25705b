from datetime import timedelta

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.basket import KEY


class Command(BaseCommand):
    help = "Delete the sessions of visitors who left a basket and did not log in."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=7, help="left for at least so many days")

    def handle(self, *args, **options):
        # A session expires two weeks after it was last saved.
        newest = timezone.now() + timedelta(days=14 - options["days"])
        deleted = 0
        for session in Session.objects.filter(expire_date__lt=newest).iterator():
            data = session.get_decoded()
            if KEY in data and "_auth_user_id" not in data:
                session.delete()
                deleted += 1
        self.stdout.write(f"{deleted} baskets deleted")
