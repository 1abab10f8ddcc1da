"""Indexes on what waits, by tenant: whoever takes work goes round the tenants (`traffic_control.fair_queue`).

Built beside the service, a partition at a time; what locks a table takes milliseconds, waits at most LOCK_SECONDS for
its turn, and is tried again. Stopped half-way, it is simply run again. Code of before finds what waits by the new
indexes, too: of a long queue it then reads all to find the oldest, until it has been replaced.
"""

import time

from django.db import OperationalError, migrations, models, transaction
from django.db.models import Q

LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 1.0
LOCK_NOT_AVAILABLE = "55P03"
QUEUED = models.Index(fields=["lane", "tenant", "rank"], condition=Q(status="queued"), name="ledger_queued_by_tenant")
PENDING = models.Index(fields=["tenant", "id"], condition=Q(status="pending"), name="ledger_pending_by_tenant")
OLD = ("ledger_queued", "ledger_pending")


def exchange(apps, schema_editor):
    if schema_editor.collect_sql:
        return  # there is no table to ask
    model = apps.get_model("delivery_gateway", "NotificationLog")
    if schema_editor.connection.vendor == "postgresql":
        Exchange(model, schema_editor).run()
        return
    for name in OLD:
        schema_editor.remove_index(model, next(index for index in model._meta.indexes if index.name == name))
    for index in (QUEUED, PENDING):
        schema_editor.add_index(model, index)


class Exchange:
    """Each step looks first whether it has been taken."""

    def __init__(self, model, schema_editor):
        self.model, self.editor, self.connection = model, schema_editor, schema_editor.connection
        self.table = model._meta.db_table

    def run(self):
        for index in (QUEUED, PENDING):
            self.build(index)
        for name in OLD:
            self.patiently(f"DROP INDEX IF EXISTS {name}")

    def build(self, index):
        """An index of the whole table that is not valid before each partition has its own."""
        statement = str(index.create_sql(self.model, self.editor))
        if not self.exists(index.name):
            self.patiently(statement.replace(" ON ", " ON ONLY ", 1))
        while not self.is_valid(index.name):
            for oid, partition in self.partitions_without(index.name):
                name = f"{index.name}_{oid}"
                if not self.is_valid(name):
                    self.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
                    created = statement.replace(f'"{index.name}"', name).replace(f'"{self.table}"', f'"{partition}"')
                    self.execute(created.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1))
                self.patiently(f"ALTER INDEX {index.name} ATTACH PARTITION {name}")

    def partitions_without(self, name):
        """A month that is made meanwhile has it from the start."""
        return self.rows(
            """SELECT part.oid, part.relname FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
               WHERE inhparent = %s::regclass AND NOT EXISTS (
                   SELECT FROM pg_index JOIN pg_inherits AS attached ON attached.inhrelid = indexrelid
                   WHERE indrelid = part.oid AND attached.inhparent = to_regclass(%s))""",
            self.table,
            name,
        )

    def exists(self, name):
        return self.rows("SELECT to_regclass(%s)", name)[0][0] is not None

    def is_valid(self, name):
        return bool(self.rows("SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", name))

    def patiently(self, statement):
        """In a transaction that gives up soon when the table is busy, again and again."""
        for number in range(TRIES):
            try:
                with transaction.atomic(using=self.connection.alias):
                    self.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                    return self.execute(statement)
            except OperationalError as exc:
                if getattr(exc.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE or number == TRIES - 1:
                    raise
                time.sleep(PAUSE_SECONDS)

    def execute(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql, *params):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("delivery_gateway", "0004_suppression_scope")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(exchange, migrations.RunPython.noop)],
            state_operations=[
                *(migrations.RemoveIndex("NotificationLog", name) for name in OLD),
                *(migrations.AddIndex("NotificationLog", index) for index in (QUEUED, PENDING)),
            ],
        ),
    ]
