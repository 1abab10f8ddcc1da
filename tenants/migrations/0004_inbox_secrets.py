import django.db.models.deletion
from django.db import migrations, models

import traffic_control.ids


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_content_days")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="inbox_origins",
            field=models.JSONField(
                blank=True,
                help_text='Origins whose pages may ask for their users\' inboxes: ["https://shop.example"].',
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="InboxSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=traffic_control.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kid", models.CharField(max_length=16, unique=True)),
                ("sealed", models.TextField(editable=False)),
                ("last_four", models.CharField(max_length=4)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="inbox_secrets", to="tenants.tenant"
                    ),
                ),
            ],
        ),
    ]
