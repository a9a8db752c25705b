"""The ASGI application, for Lambda and for any ASGI server."""

from django.core.handlers.asgi import ASGIHandler

from serverless_django.bootstrap import start_django

start_django()
application = ASGIHandler()
