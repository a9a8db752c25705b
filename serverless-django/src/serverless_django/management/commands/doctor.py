from serverless_django.doctor.command import Command

__all__ = ["Command"]
