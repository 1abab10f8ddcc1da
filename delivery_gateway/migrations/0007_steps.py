"""The database refuses steps that the states do not have, and fences that go backwards.

The pairs stand in the trigger's WHEN, so an update that is as it should be calls no function. The trigger comes AFTER
the update: one BEFORE it would lock each row a second time. On PostgreSQL it belongs to the whole ledger, and each
month that is attached later gets it; taking it on or off locks writers out for milliseconds, waits at most
LOCK_SECONDS for its turn, and is tried again. Stopped half-way, it is simply run again.
"""

import time

from django.db import OperationalError, migrations, transaction

LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 1.0
LOCK_NOT_AVAILABLE = "55P03"
LEDGER = "delivery_gateway_notificationlog"
NAME = "ledger_steps"
# As `delivery_gateway.states` has them; what is most frequent comes first.
STEPS = {
    "queued": ("sending", "sent", "scheduled", "held", "cancelled", "expired", "failed"),
    "sending": ("sent", "scheduled", "queued", "failed", "held", "suppressed", "expired"),
    "pending": ("queued", "suppressed", "scheduled", "held", "failed", "cancelled", "expired"),
    "scheduled": ("queued", "pending", "cancelled", "expired", "held"),
    "sent": ("delivered", "bounced"),
    "held": ("queued", "cancelled", "expired", "failed"),
    "failed": ("queued",),
}
BROKEN = "NEW.fence < OLD.fence OR (NEW.status <> OLD.status AND NOT CASE OLD.status {cases} ELSE {no} END)"
POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {NAME}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'notification % is % (fence %) and cannot become % (fence %)',
        OLD.id, OLD.status, OLD.fence, NEW.status, NEW.fence USING ERRCODE = 'check_violation';
END $$"""


def broken(no):
    cases = " ".join(
        f"WHEN '{source}' THEN NEW.status IN ({', '.join(repr(target) for target in targets)})"
        for source, targets in STEPS.items()
    )
    return BROKEN.format(cases=cases, no=no)


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        patiently(
            schema_editor.connection,
            POSTGRES_FUNCTION,
            f"DROP TRIGGER IF EXISTS {NAME} ON {LEDGER}",
            f"CREATE TRIGGER {NAME} AFTER UPDATE OF status, fence ON {LEDGER} FOR EACH ROW "
            f"WHEN ({broken('false')}) EXECUTE FUNCTION {NAME}_refuse()",
        )
    else:
        schema_editor.execute(
            f"CREATE TRIGGER {NAME} AFTER UPDATE OF status, fence ON {LEDGER} FOR EACH ROW WHEN {broken(0)} "
            "BEGIN SELECT RAISE(ABORT, 'a notification cannot take this step'); END"
        )


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        patiently(
            schema_editor.connection,
            f"DROP TRIGGER IF EXISTS {NAME} ON {LEDGER}",
            f"DROP FUNCTION IF EXISTS {NAME}_refuse()",
        )
    else:
        schema_editor.execute(f"DROP TRIGGER {NAME}")


def patiently(connection, *statements):
    """In a transaction that gives up soon when the table is busy, again and again."""
    for number in range(TRIES):
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                for statement in statements:
                    cursor.execute(statement)
                return
        except OperationalError as exc:
            if getattr(exc.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE or number == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS)


class Migration(migrations.Migration):
    atomic = False  # no lock is held for longer than a step, and a step may be tried again

    dependencies = [("delivery_gateway", "0006_provider_events")]

    operations = [migrations.RunPython(forwards, backwards)]
