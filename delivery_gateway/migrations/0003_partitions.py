"""Turns the tables that grow with every message into partitions by month, while the service runs.

PostgreSQL only; SQLite gets the indexes. What takes long (building indexes, checking that old ids end before the
boundary) blocks nobody; what locks a table takes milliseconds, waits at most LOCK_SECONDS for its turn so that no
queue forms behind it, and is tried again. Stopped half-way, it is simply run again: nothing is done twice.

The old table stays as it is and becomes the partition up to the boundary; no row moves. An empty one is dropped.
There is no way back in the database, and none is needed: the models are the same over either kind of table.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import OperationalError, migrations, models, transaction
from django.db.models import Q

LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 1.0
LOCK_NOT_AVAILABLE = "55P03"
MARGIN = timedelta(days=7)  # the old table takes rows until it is attached: its boundary must not pass meanwhile
MONTHS_AHEAD = 2
LEDGER = "delivery_gateway_notificationlog"
ROOMY = "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05"  # for rows that change as they are sent

BY_STATUS = models.Index(
    fields=["tenant", "status", "id"],
    condition=Q(status__in=("scheduled", "held", "failed", "bounced", "suppressed", "cancelled", "expired")),
    name="ledger_by_status",
)
EXPIRING = models.Index(
    fields=["expires_at"],
    condition=Q(expires_at__isnull=False, status__in=("pending", "queued", "scheduled", "held")),
    name="ledger_expiring",
)
INDEXES = {"NotificationLog": (BY_STATUS, EXPIRING), "Attempt": (), "SandboxMessage": ()}


def convert(apps, schema_editor):
    for name, indexes in INDEXES.items():
        model = apps.get_model("delivery_gateway", name)
        if schema_editor.connection.vendor == "postgresql":
            Conversion(model, schema_editor).run(indexes)
        else:
            replace_indexes(model, schema_editor, indexes)


def replace_indexes(model, schema_editor, indexes):
    there = {index.name: index for index in model._meta.indexes}
    for index in indexes:
        if index.name in there:
            schema_editor.remove_index(model, there[index.name])
        schema_editor.add_index(model, index)


class Conversion:
    """One table's way. Each step looks first whether it has been taken."""

    def __init__(self, model, schema_editor):
        self.model, self.editor, self.connection = model, schema_editor, schema_editor.connection
        self.table = model._meta.db_table
        self.bound = f"{self.table}_bound"

    def run(self, indexes):
        if self.value("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", self.table):
            return
        for index in indexes:
            self.replace_concurrently(index)
        is_empty = self.is_empty()
        first = months_from(datetime.now(UTC) + (timedelta(0) if is_empty else MARGIN), 1 - is_empty)
        try:
            if not is_empty:
                self.promise(first)
            self.patiently(lambda: self.swap(first, drops_old=is_empty))
        finally:
            # A promise that outlived its boundary would refuse new rows.
            self.patiently(lambda: self.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {self.bound}"))

    def replace_concurrently(self, index):
        """Under a name of its own first; an index that a stopped run left unfinished is built again."""
        new = index.clone()
        new.name = f"{index.name}_new"
        if not self.value("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", new.name):
            self.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {new.name}")
            self.execute(str(new.create_sql(self.model, self.editor, concurrently=True)))
        self.patiently(lambda: self.take_the_name(index.name, new.name))

    def take_the_name(self, name, new_name):
        self.execute(f"DROP INDEX IF EXISTS {name}")
        self.execute(f"ALTER INDEX {new_name} RENAME TO {name}")

    def promise(self, boundary):
        """A CHECK that all ids end before the boundary, proved beforehand: then ATTACH need not look at the rows."""
        stray = self.value(f"SELECT id FROM {self.table} WHERE id >= %s ORDER BY id LIMIT 1", lowest_id(boundary))  # noqa: S608 - names are ours
        if stray:
            raise RuntimeError(
                f"{self.table} has a row whose id ({stray}) is of {boundary:%B %Y} or later, and cannot become the "
                f"partition before it. Ids are UUIDv7; was this row made with a wrong clock? Remove it, and migrate again."
            )
        self.patiently(lambda: self.renew_promise(boundary))
        self.execute(f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {self.bound}")

    def renew_promise(self, boundary):
        self.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {self.bound}")
        self.execute(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.bound} CHECK (id < '{lowest_id(boundary)}') NOT VALID"
        )

    def swap(self, first, *, drops_old):
        """The parent takes the table's name and the names of its indexes; all of it is catalogue work."""
        old = f"{self.table}_until_{first:%Y_%m}"
        self.execute(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE")
        if drops_old and not self.is_empty():
            raise OperationalError("The first row came while the table was exchanged. Migrate again.")
        definitions, grants = self.indexes(), self.grants()
        key = self.value(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'", self.table
        )
        for name in (key, *definitions):
            self.execute(f'ALTER INDEX "{name}" RENAME TO "{name[:58]}_old"')
        self.execute(f"ALTER TABLE {self.table} RENAME TO {old}")
        self.execute(f"CREATE TABLE {self.table} (LIKE {old} INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id)")
        self.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {self.bound}")
        self.execute(f'ALTER TABLE {self.table} ADD CONSTRAINT "{key}" PRIMARY KEY (id)')
        for statement in (*definitions.values(), *grants):
            self.execute(statement)
        if drops_old:
            self.execute(f"DROP TABLE {old}")
        else:
            self.attach(old, first)
        self.create_months(first)

    def attach(self, old, boundary):
        self.execute(
            f"ALTER TABLE {self.table} ATTACH PARTITION {old} FOR VALUES FROM (MINVALUE) TO ('{lowest_id(boundary)}')"
        )
        self.execute(f"ALTER TABLE {old} DROP CONSTRAINT {self.bound}")
        if self.table == LEDGER:
            self.execute(f"ALTER TABLE {old} SET ({ROOMY})")

    def create_months(self, first):
        storage = f"WITH ({ROOMY})" if self.table == LEDGER else ""
        self.execute(f"CREATE TABLE {self.table}_default PARTITION OF {self.table} DEFAULT {storage}")
        for number in range(MONTHS_AHEAD + 1):
            start, end = months_from(first, number), months_from(first, number + 1)
            self.execute(
                f"CREATE TABLE {self.table}_{start:%Y_%m} PARTITION OF {self.table} "
                f"FOR VALUES FROM ('{lowest_id(start)}') TO ('{lowest_id(end)}') {storage}"
            )

    def indexes(self):
        """By name, as PostgreSQL would write them again; the primary key is a constraint and not among them."""
        return dict(
            self.rows(
                "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid"
                " WHERE indrelid = %s::regclass AND NOT indisprimary",
                self.table,
            )
        )

    def grants(self):
        """What the owner has let other roles do with the table."""
        found = self.rows(
            "SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type"
            " FROM pg_class, aclexplode(relacl) WHERE oid = %s::regclass AND grantee <> relowner",
            self.table,
        )
        return [f"GRANT {privilege} ON {self.table} TO {role}" for role, privilege in found]

    def is_empty(self):
        return not self.value(f"SELECT EXISTS (SELECT FROM {self.table})")  # noqa: S608 - names are ours

    def patiently(self, step):
        """In a transaction that gives up soon when the table is busy, again and again."""
        for number in range(TRIES):
            try:
                with transaction.atomic(using=self.connection.alias):
                    self.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                    return step()
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

    def value(self, sql, *params):
        found = self.rows(sql, *params)
        return found[0][0] if found else None


def months_from(moment, number):
    """The first moment of the month that is `number` months after the one of `moment`."""
    years, month = divmod(moment.month - 1 + number, 12)
    return datetime(moment.year + years, month + 1, 1, tzinfo=UTC)


def lowest_id(moment):
    """The smallest UUIDv7 of that moment."""
    digits = f"{int(moment.timestamp() * 1000) << 80:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside the service, and no lock is held for longer than a step

    dependencies = [("delivery_gateway", "0002_delivery_counts")]

    operations = [
        migrations.RunPython(convert, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("NotificationLog", "ledger_expiring"),
                migrations.AddIndex("NotificationLog", BY_STATUS),
                migrations.AddIndex("NotificationLog", EXPIRING),
            ],
        ),
    ]
