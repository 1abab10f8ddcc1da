"""Each entry gets a place in its tenant's chain. Entries from before have none: `manage.py verify_audit --seal`.

The log stays append-only. One change is let through: a number and a digest where there were none.
"""

from typing import Any

from django.db import migrations, models

TABLE = "monitoring_auditentry"
KEPT = (
    "id", "tenant_id", "action", "actor_kind", "actor_id", "actor_label", "object_kind", "object_id", "summary",
    "changes", "ip", "request_id", "at",
)  # fmt: skip
POSTGRES = f"""
CREATE OR REPLACE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
        AND ({", ".join(f"OLD.{name}" for name in KEPT)}) IS NOT DISTINCT FROM ({", ".join(f"NEW.{name}" for name in KEPT)})
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
POSTGRES_BACK = f"""
CREATE OR REPLACE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
SQLITE = (
    f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} WHEN NOT (OLD.number IS NULL AND NEW.number IS NOT NULL"
    + "".join(f" AND OLD.{name} IS NEW.{name}" for name in KEPT)
    + ") BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
)
SQLITE_BACK = (
    f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
)
SQLITE_NO_DELETE = (
    f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
)


def unguard(apps: Any, schema_editor: Any) -> None:
    """SQLite copies the table for each new column, and its triggers would not be copied with it."""
    if schema_editor.connection.vendor == "sqlite":
        for deed in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_no_{deed}")


def guard(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
        schema_editor.execute(SQLITE_NO_DELETE)
    else:
        schema_editor.execute(POSTGRES)


def guard_as_before(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE_BACK)
        schema_editor.execute(SQLITE_NO_DELETE)
    else:
        schema_editor.execute(POSTGRES_BACK)


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_audit_log")]

    operations = [
        migrations.RunPython(unguard, guard_as_before),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("tenant_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveBigIntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name="auditentry",
            name="number",
            field=models.PositiveBigIntegerField(
                editable=False, help_text="Place in the tenant's chain, from 1.", null=True
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="digest",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.RunPython(guard, unguard),
    ]
