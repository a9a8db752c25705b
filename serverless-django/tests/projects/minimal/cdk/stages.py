from serverless_django.deploy import Stage

STAGES = (
    Stage(name="local", architecture="x86_64", deletion_protection=False, keep_data=False, database_backup_days=0),
    Stage(name="dev", database_instance_class="t4g.micro", deletion_protection=False, keep_data=False),
)
