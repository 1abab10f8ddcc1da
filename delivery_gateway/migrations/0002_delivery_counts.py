import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery_gateway", "0001_initial"),
        ("tenants", "0002_tenant_default_locale"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant",
                        "day",
                        "channel",
                        "mode",
                        "status",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
                ("day", models.DateField()),
                ("channel", models.CharField(max_length=20)),
                ("mode", models.CharField(max_length=4)),
                ("status", models.CharField(max_length=10)),
                ("count", models.BigIntegerField()),
            ],
        ),
    ]
