"""Between tests that commit, the tables that they wrote to are emptied.

Django's flush truncates all of them, and makes content types, permissions and groups anew: a hundred times the work,
after each test. Here these stay as the migrations made them, unless a test has touched them; then Django does it all.
"""

from collections import Counter

from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

KEPT = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
MANY = 2_000  # rows deleted from a table, after which it is made anew: the dead ones are in the way of scans
Row = tuple[str, int, int]

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


class Slate:
    """The database of this process, `as_made` by its migrations."""

    def __init__(self) -> None:
        self._as_made: list[Row] = []
        self._names: list[str] = []
        self._deleted: Counter[str] = Counter()

    def learn(self) -> None:
        """Once, before the first test. Nothing is learnt, and hence all left to Django, where triggers cannot rest."""
        with connection.cursor() as cursor:
            cursor.execute("SHOW is_superuser")
            if cursor.fetchone() == ("on",):
                found = connection.introspection.django_table_names(only_existing=True, include_views=False)
                self._names = [name for name in found if name not in (*KEPT, "django_migrations")]
                self._as_made = _state_of_kept()

    def wipe(self, case: TransactionTestCase) -> None:
        if not self._names or _state_of_kept() != self._as_made:
            _flush(case)
            self._as_made = _state_of_kept() if self._names else []
        else:
            self._delete()

    def _delete(self) -> None:
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in self._names)
        with connection.cursor() as cursor:
            cursor.execute(asked)
            written = [name for (name,) in cursor.fetchall()]
            cursor.execute("SET session_replication_role = replica")  # triggers and foreign keys rest
            for name in written:
                cursor.execute(f'DELETE FROM "{name}"')
                self._deleted[name] += cursor.rowcount
            cursor.execute("RESET session_replication_role")
        if max(self._deleted.values(), default=0) > MANY:
            self._truncate()

    def _truncate(self) -> None:
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), self._names))
        self._deleted.clear()


def _state_of_kept() -> list[Row]:
    """Differs after any change: rows that are deleted count less, those that are written have a newer transaction."""
    each = (f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM \"{name}\"" for name in KEPT)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return list(cursor.fetchall())


def install() -> None:
    """On PostgreSQL. SQLite has the rows in memory, and is quick as it is."""
    slate = Slate()
    slate.learn()
    TransactionTestCase._fixture_teardown = lambda case: slate.wipe(case)  # type: ignore[attr-defined]
