from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import traffic_control.ids

TABLE = "monitoring_auditentry"
POSTGRES = f"""
CREATE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {TABLE}_keep BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {TABLE}_keep();
"""
POSTGRES_BACK = f"DROP TRIGGER {TABLE}_keep ON {TABLE}; DROP FUNCTION {TABLE}_keep();"
SQLITE = tuple(
    f"CREATE TRIGGER {TABLE}_no_{deed} BEFORE {deed.upper()} ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
    for deed in ("update", "delete")
)


def protect(apps: Any, schema_editor: Any) -> None:
    """Rows stay as they were written, whoever asks. Emptying the table (TRUNCATE) is left to its owner."""
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else (POSTGRES,):
        schema_editor.execute(statement)


def unprotect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for deed in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {TABLE}_no_{deed}")
    else:
        schema_editor.execute(POSTGRES_BACK)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=traffic_control.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        help_text="What was done to which kind of object: api_key.revoked.", max_length=64
                    ),
                ),
                (
                    "actor_kind",
                    models.CharField(help_text="api_key, user (of the console), system or anonymous.", max_length=10),
                ),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_label", models.CharField(blank=True, max_length=150)),
                ("object_kind", models.CharField(max_length=32)),
                ("object_id", models.CharField(max_length=64)),
                ("summary", models.CharField(max_length=500)),
                (
                    "changes",
                    models.JSONField(default=dict, help_text="By field, keyed hashes of the value before and after."),
                ),
                ("ip", models.CharField(blank=True, max_length=45)),
                ("request_id", models.CharField(blank=True, max_length=128)),
                ("at", models.DateTimeField()),
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
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "indexes": [
                    models.Index(fields=["tenant", "id"], name="audit_newest"),
                    models.Index(fields=["object_id"], name="audit_by_object"),
                ],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
