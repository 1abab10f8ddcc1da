"""Whether an error means that the database is away."""

from django.db import DatabaseError, InterfaceError, OperationalError


def is_outage(exc: BaseException) -> bool:
    """A server that hangs up in the middle of a statement is a bare DatabaseError to psycopg2."""
    return isinstance(exc, OperationalError | InterfaceError) or type(exc) is DatabaseError
