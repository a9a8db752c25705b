from django.core.management import call_command
from django.tasks import task


@task
def clear_baskets():
    call_command("clear_baskets")
