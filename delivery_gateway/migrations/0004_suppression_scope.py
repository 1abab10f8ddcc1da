"""A suppression may hold for one category. The new uniqueness is built while the list is in use.

Older code, while it is still running beside this, takes a narrower scope for a suppression of everything.
"""

from django.db import migrations, models

TABLE = "delivery_gateway_suppression"
NAME = "one_suppression_per_scope"
PER_SCOPE = models.UniqueConstraint(fields=["tenant", "channel", "address_hash", "scope"], name=NAME)


def dropped(constraint):
    """The older promise is kept by nobody's code: a second row for an address was never an error, it was ignored."""
    return f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {constraint}"


class AddUnique(migrations.AddConstraint):
    """PostgreSQL builds the index first, and blocks nobody meanwhile. Stopped half-way, it is simply run again."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.execute(dropped(NAME))
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        columns = "tenant_id, channel, address_hash, scope"
        schema_editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON {TABLE} ({columns})")
        schema_editor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} UNIQUE USING INDEX {NAME}")


class DropUnique(migrations.RemoveConstraint):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.execute(dropped(self.name))


class AddColumn(migrations.AddField):
    """It may be there from a first try that was stopped."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.collect_sql or not self._is_there(schema_editor.connection):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def _is_there(self, connection):
        with connection.cursor() as cursor:
            return self.name in {
                column.name for column in connection.introspection.get_table_description(cursor, TABLE)
            }


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("delivery_gateway", "0003_partitions")]

    operations = [
        AddColumn(
            model_name="suppression",
            name="scope",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Empty: everything. *: all but what is critical. Else that category, but what is critical.",
                max_length=64,
            ),
        ),
        AddUnique(model_name="suppression", constraint=PER_SCOPE),
        DropUnique(model_name="suppression", name="one_suppression_per_address"),
    ]
