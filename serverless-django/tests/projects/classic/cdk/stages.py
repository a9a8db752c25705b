from serverless_django.deploy import Stage

SECRETS = ("EMAIL_URL", "PAYMENT_WEBHOOK_SECRET")

STAGES = (
    Stage(
        name="local",
        architecture="x86_64",
        secrets=SECRETS,
        deletion_protection=False,
        keep_data=False,
        database_backup_days=0,
    ),
    Stage(
        name="dev",
        database_instance_class="t4g.micro",
        environment={"DEFAULT_FROM_EMAIL": "dev@bookshop.example"},
        secrets=SECRETS,
        deletion_protection=False,
        keep_data=False,
    ),
)
