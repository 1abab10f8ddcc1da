"""What operators are told of the second layer, and what mends it."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from monitoring.doctor.postgres import keeps_apart
from monitoring.doctor.verdict import Level
from tenants import isolation_checks
from tests.isolation.conftest import on_postgres

UNFORCED = 'ALTER TABLE "user_preferences_customer" {} ROW LEVEL SECURITY'


def isolate(*options: str) -> str:
    said = StringIO()
    call_command("isolate", *options, stdout=said)
    return said.getvalue()


def found() -> tuple[str, str]:
    gap = isolation_checks.gap()
    assert gap is not None
    return gap.id, gap.found


@on_postgres
def test_login_that_bypasses_policies_is_warned_of(db: None) -> None:
    """As of the tests, and of the compose file: a superuser."""
    [verdict] = keeps_apart()

    assert found()[0] == "tenants.W003"
    assert (verdict.level, verdict.found) == (Level.WARN, found()[1])
    assert verdict.found.startswith("row-level security holds for requests, but ")
    assert verdict.found.endswith(" itself bypasses it")
    assert "can leave the tenant's role" in verdict.why


@on_postgres
def test_layer_that_is_switched_off_is_warned_of(db: None, settings: Any) -> None:
    settings.ROW_SECURITY = "off"

    assert found() == ("tenants.W001", "row-level security is off: ROW_SECURITY=off")


@on_postgres
def test_what_is_missing_is_told_printed_and_mended(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(UNFORCED.format("NO FORCE"))

    assert found() == ("tenants.W002", "row-level security is incomplete; steps to take: 1")
    assert isolate("--sql") == f"{UNFORCED.format('FORCE')};\n"
    assert (isolate(), isolate(), isolate("--sql")) == ("Steps taken: 1.\n", "All is in place.\n", "")


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL has a second layer")
def test_sqlite_has_one_layer_and_nothing_to_mend(db: None) -> None:
    [verdict] = keeps_apart()

    assert (verdict.level, verdict.found) == (Level.OK, "in code only: SQLite")
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        isolate()


def test_word_that_nobody_knows_is_refused(settings: Any) -> None:
    settings.ROW_SECURITY = "yes"

    assert [message.id for message in isolation_checks.row_security_is_known()] == ["tenants.E005"]
