from django.tasks import task

from lambda_app.models import Greeting


@task
def greet(name: str) -> None:
    Greeting.objects.create(name=name)
