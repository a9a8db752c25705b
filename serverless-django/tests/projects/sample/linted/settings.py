"""A project with two databases, and with apps that are not of the platform."""

from lambda_app.settings.local import *  # noqa: F403
from lambda_app.settings.local import DATABASES, INSTALLED_APPS

DATABASES = DATABASES | {
    "reports": DATABASES["default"] | {"NAME": "reports"},
    "notes": {"ENGINE": "django.db.backends.sqlite3"},
}
INSTALLED_APPS = [*INSTALLED_APPS, "linted"]
