"""The Django of the cases as any ASGI server runs it."""

import django
from django.core.handlers.asgi import ASGIHandler

django.setup()
application = ASGIHandler()
