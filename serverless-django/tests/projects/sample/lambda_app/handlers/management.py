"""The deploy, or an operator → one management command."""

from serverless_django.handlers.management import handler as handler
