"""S3 objects → the tasks that topology.py names for them."""

from serverless_django.handlers.s3 import handler as handler
