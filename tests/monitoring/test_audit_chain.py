"""What the chain shows of an audit log that somebody has been at, and what it does not mind."""

import json
import threading
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from monitoring import audit_chain
from monitoring.models import AuditEntry, AuditHead
from traffic_control import audit

TABLE = AuditEntry._meta.db_table


@pytest.fixture
def shop(transactional_db):
    """A tenant nobody else writes about."""
    return uuid.uuid4()


def tell(tenant_id, *summaries):
    for summary in summaries:
        audit.record("template.archived", tenant_id=tenant_id, object_id="t", summary=summary)


def entries(tenant_id):
    return list(AuditEntry.objects.filter(tenant_id=tenant_id).order_by("number"))


def behind_our_back(sql, *params):
    """As whoever owns the database could: past the triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, params)
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = DEFAULT")


def stored(tenant_id):
    return tenant_id if connection.vendor == "postgresql" else tenant_id.hex


def finding(tenant_id):
    [found] = audit_chain.verify([tenant_id])
    return found


def test_chain_as_it_was_written_is_sound(shop):
    tell(shop, "one", "two", "three")

    assert [entry.number for entry in entries(shop)] == [1, 2, 3]
    assert finding(shop).is_sound
    assert finding(shop).digest == entries(shop)[-1].digest


def test_each_tenant_has_a_chain_of_its_own(shop):
    other = uuid.uuid4()
    tell(shop, "one")
    tell(other, "one")

    assert [entry.number for entry in entries(shop) + entries(other)] == [1, 1]
    assert entries(shop)[0].digest != entries(other)[0].digest


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE {t} SET summary = 'nothing happened' WHERE id = %s", 2),
        ("UPDATE {t} SET actor_id = 'somebody else' WHERE id = %s", 2),
        ("UPDATE {t} SET at = '2020-01-01 00:00:00+00:00' WHERE id = %s", 2),
        ("UPDATE {t} SET number = 7 WHERE id = %s", 2),
        ("DELETE FROM {t} WHERE id = %s", 2),
    ],
)
def test_first_entry_that_was_touched_is_named(shop, change, broken_at):
    tell(shop, "one", "two", "three")
    second = entries(shop)[1]

    behind_our_back(change.format(t=TABLE), stored(second.id))

    found = finding(shop).broken
    assert found is not None
    assert found.number == broken_at
    assert found.entry in {second.id, entries(shop)[-1].id, entries(shop)[1].id}


def test_last_entry_taken_away_is_missed_at_the_end(shop):
    tell(shop, "one", "two")
    behind_our_back(f"DELETE FROM {TABLE} WHERE id = %s", stored(entries(shop)[-1].id))

    assert finding(shop).broken == audit_chain.Break(2, None, "the chain was 2 entries long, and 1 are there")


def test_end_that_was_kept_elsewhere_shows_that_the_newest_were_removed(shop, tmp_path):
    tell(shop, "one", "two")
    kept, told = tmp_path / "ends.json", StringIO()
    call_command("verify_audit", "--json", stdout=told)
    kept.write_text(told.getvalue())
    first, last = entries(shop)
    behind_our_back(f"DELETE FROM {TABLE} WHERE id = %s", stored(last.id))
    AuditHead.objects.filter(tenant_id=shop).update(number=1, digest=first.digest)
    complaints = StringIO()

    call_command("verify_audit", stdout=StringIO())  # by itself the chain is sound
    with pytest.raises(CommandError), kept.open() as earlier:
        call_command("verify_audit", against=earlier, stderr=complaints)

    assert json.loads(kept.read_text())[str(shop)]["number"] == 2
    assert f"tenant {shop}: number 2 is not there" in complaints.getvalue()


def test_forger_without_the_secret_key_cannot_mend_the_chain(shop, settings):
    tell(shop, "one", "two")
    second = entries(shop)[1]
    second.summary = "nothing happened"
    forged = audit_chain.digest_of(second, entries(shop)[0].digest, "a guess")

    behind_our_back(
        f"UPDATE {TABLE} SET summary = %s, digest = %s WHERE id = %s", second.summary, forged, stored(second.id)
    )
    AuditHead.objects.filter(tenant_id=shop).update(digest=forged)

    assert finding(shop).broken is not None


def test_chain_survives_a_new_secret_key(shop, settings):
    tell(shop, "one")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = (
        [settings.SECRET_KEY],
        "another one of fifty characters, or so they say",
    )
    tell(shop, "two")

    assert finding(shop).is_sound
    settings.SECRET_KEY_FALLBACKS = []
    assert finding(shop).broken is not None


def test_entries_from_before_the_chain_are_named_until_they_are_sealed(shop):
    tell(shop, "one", "two")
    behind_our_back(f"UPDATE {TABLE} SET number = NULL, digest = ''")
    AuditHead.objects.all().delete()
    tell(shop, "three")

    assert (finding(shop).unsealed, finding(shop).is_sound) == (2, False)
    assert audit_chain.seal() >= 2
    assert finding(shop).is_sound
    assert [entry.summary for entry in entries(shop)] == ["three", "one", "two"]


def test_deed_that_was_rolled_back_leaves_no_gap(shop):
    tell(shop, "one")
    with transaction.atomic():
        tell(shop, "two")
        transaction.set_rollback(True)
    tell(shop, "three")

    assert [(entry.number, entry.summary) for entry in entries(shop)] == [(1, "one"), (2, "three")]
    assert finding(shop).is_sound


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite in memory has no second connection")
def test_many_writers_at_a_time_make_one_chain(shop):
    def write():
        try:
            for number in range(10):
                tell(shop, f"{number}")
        finally:
            connection.close()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)

    assert [entry.number for entry in entries(shop)] == list(range(1, 41))
    assert finding(shop).is_sound


def test_person_who_acts_by_a_link_leaves_no_address(shop):
    audit.record(
        "preference.unsubscribed", tenant_id=shop, object_id="x", summary="", actor=audit.Actor(audit.RECIPIENT)
    )

    assert entries(shop)[0].ip == ""


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the suite takes SQLite's triggers off")
def test_database_refuses_to_change_an_entry_that_has_its_place(shop):
    tell(shop, "one")

    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET number = 2 WHERE tenant_id = %s", [shop])
