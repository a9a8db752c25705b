from lambda_app.serverless.doctor.command import Command

__all__ = ["Command"]
