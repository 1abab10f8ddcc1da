"""Django's PostgreSQL backend; what is asked at every request is asked more cheaply."""

import logging
import select
from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.postgresql import base

from traffic_control.postgresql import scoped
from traffic_control.postgresql.prepared import KNOWN_HERE, UNKNOWN_HERE, Statement
from traffic_control.postgresql.roles import STANDING
from traffic_control.scope import is_narrow

log = logging.getLogger(__name__)

OFF, ON = "off", "on"  # of ROW_SECURITY; anything else: as soon as the database is ready for it


class DatabaseWrapper(base.DatabaseWrapper):
    """Knows whether a kept connection is still there without asking the server, and prepares statements.

    A server that goes away closes its connections, and then the socket has something to read: its end. Between
    requests nothing else comes, so a silent socket is taken for a usable connection, and `SELECT 1`, a round trip
    before the first query of each request, is only sent when there is doubt.
    """

    may_prepare: ClassVar[bool] = True  # until it turns out that a pooler shares server connections among sessions

    def is_usable(self) -> bool:
        connection = self.connection
        if connection is None or connection.closed or connection.is_refused:
            return False
        return not _has_news(connection.fileno()) or bool(super().is_usable())

    def get_connection_params(self) -> dict[str, Any]:
        return {
            **super().get_connection_params(),
            "connection_factory": scoped.Connection,
            "cursor_factory": scoped.Cursor,
        }

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._prepared: set[str] = set()
        return super().get_new_connection(conn_params)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self.connection is not None:
            self.look_for_role()

    def look_for_role(self) -> None:
        """There is one once the database has all that belongs to it (`tenants.row_security`)."""
        with self.connection.cursor() as cursor:
            cursor.execute(STANDING)
            role, self.connection.is_under_policies = cursor.fetchone()
        self.connection.narrow_role = role if role and settings.ROW_SECURITY != OFF else ""
        self.connection.must_narrow = settings.ROW_SECURITY == ON

    def takes_copy(self) -> bool:
        """PostgreSQL refuses COPY where row-level security is to look at each row."""
        self.ensure_connection()
        return not self.connection.is_under_policies and not (self.connection.narrow_role and is_narrow())

    def refused_copy(self) -> None:
        """The policies have been forced since this connection was opened."""
        self.connection.is_under_policies = True

    def chunked_cursor(self) -> Any:
        """A cursor of the server's lives in a transaction. Without one, there is nothing that could hold the scope."""
        if self.get_autocommit() and is_narrow():
            return self.cursor()
        return super().chunked_cursor()

    def run(self, statement: Statement, values: Sequence[Any]) -> int:
        """How many rows it affected. Within a transaction it is not prepared: a pooler's refusal would abort that."""
        if self.in_atomic_block or not self.may_prepare:
            return self._run_unprepared(statement, values)
        try:
            return self._run_prepared(statement, values)
        except DatabaseError as exc:
            if getattr(exc.__cause__, "pgcode", "") not in (UNKNOWN_HERE, KNOWN_HERE):
                raise
            type(self).may_prepare = False
            log.info("a pooler shares server connections: statements are not prepared")
            return self._run_unprepared(statement, values)

    def _run_prepared(self, statement: Statement, values: Sequence[Any]) -> int:
        with self.cursor() as cursor:
            if statement.name not in self._prepared:
                cursor.execute(statement.prepare)
                self._prepared.add(statement.name)
            cursor.execute(statement.execute, values)
            return int(cursor.rowcount)

    def _run_unprepared(self, statement: Statement, values: Sequence[Any]) -> int:
        with self.cursor() as cursor:
            cursor.execute(statement.sql, values)
            return int(cursor.rowcount)


def _has_news(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
