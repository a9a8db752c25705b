"""Django is started once per execution environment, while Lambda initialises it."""

import os

import django


def start_django() -> None:
    """Load settings and apps.

    Call it while a handler module is imported: Lambda gives the init phase a full vCPU
    whatever the function's memory.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lambda_app.settings.deployed")
    django.setup()
