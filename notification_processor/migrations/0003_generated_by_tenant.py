"""An index on planned events by tenant: the router goes round the tenants (`traffic_control.fair_queue`).

Built beside the service. Stopped half-way, it is simply run again.
"""

from django.db import migrations, models
from django.db.models import Q

GENERATED = models.Index(fields=["tenant", "id"], condition=Q(state="generated"), name="events_generated_by_tenant")
OLD = "events_generated"


def exchange(apps, schema_editor):
    if schema_editor.collect_sql:
        return  # there is no table to ask
    model, connection = apps.get_model("notification_processor", "Event"), schema_editor.connection
    if connection.vendor != "postgresql":
        schema_editor.remove_index(model, next(index for index in model._meta.indexes if index.name == OLD))
        schema_editor.add_index(model, GENERATED)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", [GENERATED.name])
        if not cursor.fetchall():
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {GENERATED.name}")
            cursor.execute(str(GENERATED.create_sql(model, schema_editor, concurrently=True)))
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {OLD}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notification_processor", "0002_starters_and_deduplication")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(exchange, migrations.RunPython.noop)],
            state_operations=[
                migrations.RemoveIndex("Event", OLD),
                migrations.AddIndex("Event", GENERATED),
            ],
        ),
    ]
