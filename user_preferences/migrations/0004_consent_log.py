from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import traffic_control.ids

TABLE = "user_preferences_consententry"
POSTGRES = f"""
CREATE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the consent log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {TABLE}_keep BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {TABLE}_keep();
"""
POSTGRES_BACK = f"DROP TRIGGER {TABLE}_keep ON {TABLE}; DROP FUNCTION {TABLE}_keep();"
SQLITE = (
    f"CREATE TRIGGER {TABLE}_keep BEFORE UPDATE ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END;"
)
SOURCES = [
    ("api", "Api"),
    ("operator", "Operator"),
    ("unsubscribe_link", "Unsubscribe Link"),
    ("preference_page", "Preference Page"),
]


def protect(apps: Any, schema_editor: Any) -> None:
    """Entries stay as they were written. They may go: with their customer, who has a right to be forgotten."""
    schema_editor.execute(SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES)


def unprotect(apps: Any, schema_editor: Any) -> None:
    back = f"DROP TRIGGER {TABLE}_keep" if schema_editor.connection.vendor == "sqlite" else POSTGRES_BACK
    schema_editor.execute(back)


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
        ("user_preferences", "0003_quiet_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="link_epoch",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Links to the preference page that name an earlier one are void.",
            ),
        ),
        migrations.AlterField(
            model_name="preference",
            name="source",
            field=models.CharField(choices=SOURCES, default="api", max_length=20),
        ),
        migrations.CreateModel(
            name="ConsentEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=traffic_control.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("category", models.CharField(blank=True, default="", max_length=64)),
                ("channel", models.CharField(blank=True, default="", max_length=20)),
                ("is_enabled", models.BooleanField(null=True)),
                ("is_about_quiet_hours", models.BooleanField(default=False)),
                ("quiet_hours", models.JSONField(blank=True, null=True)),
                ("source", models.CharField(choices=SOURCES, max_length=20)),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                (
                    "ip_hash",
                    models.CharField(blank=True, help_text="Keyed; of the person's own acts only.", max_length=32),
                ),
                (
                    "text_version",
                    models.CharField(blank=True, help_text="Of the words that the person had seen.", max_length=40),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="user_preferences.customer",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"),
                ),
            ],
            options={
                "verbose_name_plural": "consent log",
                "indexes": [
                    models.Index(fields=["tenant", "id"], name="consent_newest"),
                    models.Index(fields=["customer", "id"], name="consent_by_customer"),
                ],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
