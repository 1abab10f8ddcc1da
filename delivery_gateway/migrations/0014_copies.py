"""Which messages are copies of which: a new table, so nobody waits."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery_gateway", "0013_letters_by_job"), ("tenants", "0005_quiet_hours")]

    operations = [
        migrations.CreateModel(
            name="NotificationCopy",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("original_id", models.UUIDField(db_index=True)),
                ("kind", models.CharField(choices=[("again", "Again"), ("to_staff", "To Staff")], max_length=10)),
                ("made_by", models.CharField(blank=True, max_length=200)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "notification copies",
                "indexes": [models.Index(fields=["tenant", "id"], name="copies_newest")],
            },
        ),
    ]
