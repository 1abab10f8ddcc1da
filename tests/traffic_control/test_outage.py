"""Which errors mean that the database is away, and which that something is wrong with us."""

import pytest
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from traffic_control.outage import is_outage


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, DatabaseError])
def test_lost_connection_is_an_outage(kind):
    assert is_outage(kind("server closed the connection unexpectedly"))


@pytest.mark.parametrize("kind", [IntegrityError, DataError, ProgrammingError, ValueError])
def test_our_own_mistake_is_none(kind):
    assert not is_outage(kind("no"))
