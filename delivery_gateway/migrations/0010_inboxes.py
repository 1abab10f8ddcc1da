"""Inboxes get a version, and their messages an order of arrival.

Everything new has a default in the database, so that code of before goes on writing messages beside this. Messages
that it writes after this migration are listed last, and counted with the next change of their inbox.
"""

import django.db.models.deletion
from django.db import migrations, models

COUNT = """
    INSERT INTO delivery_gateway_inbox (customer_id, tenant_id, version, total, unread, unseen)
    SELECT customer_id, tenant_id, 0, count(*), count(*) - count(read_at), count(*) - count(seen_at)
    FROM delivery_gateway_inboxitem WHERE archived_at IS NULL GROUP BY customer_id, tenant_id
    ON CONFLICT (customer_id) DO NOTHING
"""
IN_ORDER = models.Index(fields=["customer_id", "seq", "id"], name="inbox_in_order")


class AddBeside(migrations.AddIndex):
    """While messages go on arriving. Stopped half-way, it is simply run again."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, "InboxItem")
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        schema_editor.execute(self.index.create_sql(model, schema_editor, concurrently=True))


class RemoveBeside(migrations.RemoveIndex):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}")


class AddOnce(migrations.AddField):
    """It may be there from a first try that was stopped."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection, table = schema_editor.connection, "delivery_gateway_inboxitem"
        if not schema_editor.collect_sql:
            with connection.cursor() as cursor:
                if self.name in {c.name for c in connection.introspection.get_table_description(cursor, table)}:
                    return
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class CreateOnce(migrations.CreateModel):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if (
            schema_editor.collect_sql
            or "delivery_gateway_inbox" not in schema_editor.connection.introspection.table_names()
        ):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("delivery_gateway", "0009_decisions"), ("tenants", "0003_content_days")]

    operations = [
        CreateOnce(
            name="Inbox",
            fields=[
                ("customer_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
                ("total", models.IntegerField(default=0, help_text="Messages that are not archived.")),
                ("unread", models.IntegerField(default=0)),
                ("unseen", models.IntegerField(default=0)),
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
            options={"verbose_name_plural": "inboxes"},
        ),
        AddOnce(
            model_name="inboxitem",
            name="seq",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="The version of the inbox that it arrived with."
            ),
        ),
        AddOnce(
            model_name="inboxitem",
            name="event_type",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        AddOnce(
            model_name="inboxitem",
            name="actions_done",
            field=models.JSONField(blank=True, help_text="When each action was completed, by its key.", null=True),
        ),
        AddBeside("InboxItem", IN_ORDER),
        RemoveBeside("InboxItem", "inbox_newest"),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
