from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feed", "0004_sweep_in_order_of_check")]

    operations = [
        migrations.AddField("photo", "waiting_since", models.DateTimeField(null=True)),
        migrations.AddField("photo", "rendering_until", models.DateTimeField(null=True)),
    ]
