"""Connections whose every statement says in whose scope it is run, in the same round trip.

The words in front of a statement hold for its transaction, which outside of a block is the statement itself: neither
an exception nor a pooler can leave them on a connection. They cost the server some six microseconds.
"""

from typing import Any

from psycopg2 import NotSupportedError, OperationalError, extensions

from traffic_control.scope import current_scope

TENANT = "traffic_control.tenant"
WIDEN = "SELECT set_config('role', 'none', true);"
NO_ROLE = "ROW_SECURITY is on, but the database is not ready for it: run manage.py isolate"


class Connection(extensions.connection):
    """`narrow_role` is what statements about one tenant, or about nobody, are run as. Empty: no row-level security."""

    narrow_role = ""
    must_narrow = False  # to a statement without a role to narrow it, the database is as good as away
    is_refused = False  # a statement was: the next request looks for the role on another connection
    is_narrowed = False  # in the transaction under way
    is_under_policies = False  # also when it is not narrowed

    def words(self) -> str:
        """What has to stand before the next statement."""
        scope = current_scope()
        if scope.is_everybody:
            return WIDEN if self.is_narrowed and not self._has_failed() else ""
        if not self.narrow_role:
            return self._unnarrowed()
        if self._has_failed():
            return ""
        self.is_narrowed = not self.autocommit
        return (
            f"SELECT set_config('role', '{self.narrow_role}', true), "
            f"set_config('{TENANT}', '{scope.tenant_id or ''}', true);"
        )

    def _unnarrowed(self) -> str:
        if not self.must_narrow:
            return ""
        self.is_refused = True
        raise OperationalError(NO_ROLE)

    def _has_failed(self) -> bool:
        """Then PostgreSQL takes nothing but the way back to a savepoint, or out."""
        return bool(self.get_transaction_status() == extensions.TRANSACTION_STATUS_INERROR)

    def commit(self) -> None:
        self.is_narrowed = False
        super().commit()

    def rollback(self) -> None:
        self.is_narrowed = False
        super().rollback()


class Cursor(extensions.cursor):
    """No statement gets past `execute` and `copy_expert`."""

    def execute(self, query: Any, vars: Any = None) -> None:
        words = self.connection.words()
        if words and self.name:  # is declared by the statement, and lives in a transaction
            self._say(words)
        elif words:
            query = words + query
        super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        for values in vars_list:
            self.execute(query, values)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        super().copy_expert(self.connection.words() + sql, file, size)

    def _say(self, words: str) -> None:
        with self.connection.cursor() as cursor:
            extensions.cursor.execute(cursor, words)

    def callproc(self, *_: Any, **__: Any) -> Any:
        raise NotSupportedError("Call functions by execute, which minds the scope.")

    copy_from = copy_to = callproc
