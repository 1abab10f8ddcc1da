"""Addresses in what we or a provider said: staff without the right to see them find them masked, on every page."""

from dataclasses import replace

import pytest
from django.test import Client
from django.utils import timezone

from delivery_gateway.models import Attempt, DeadLetter, NotificationLog, ProviderEvent, Suppression
from monitoring.models import AuditEntry
from notification_processor.models import Event
from tenants.models import Integration
from tests.admin.pages import list_of, page_of
from tests.admin.world import World
from traffic_control import audit
from traffic_control.ids import uuid7

MAIL, HOOK, PHONE = "planted.ann@canary.test", "https://hooks.canary.test/T0/plantedplanted", "+48600700801"
SAID = f"550 {MAIL}: no such user, call {PHONE} or {HOOK}"
PLANTED = (MAIL, PHONE, "plantedplanted")


@pytest.fixture
def told(acme_world: World) -> World:
    """A world in which every provider, and whoever puts letters away, quotes addresses."""
    row, now = acme_world.notification, timezone.now()
    NotificationLog.objects.filter(pk=row.pk).update(to=MAIL, detail=SAID, provider_response=SAID)
    Attempt.objects.filter(notification=row).update(detail=SAID)
    ProviderEvent.objects.create(
        id=uuid7(), tenant=acme_world.tenant, notification=row, kind="bounced", detail=SAID, received_at=now
    )
    DeadLetter.objects.filter(notification=row).update(reason=SAID, discarded_at=now, discard_reason=SAID)
    Event.objects.filter(pk=acme_world.event.pk).update(error=SAID)
    Integration.objects.filter(pk=acme_world.integration.pk).update(paused_at=now, paused_reason=SAID)
    Suppression.objects.filter(pk=acme_world.suppression.pk).update(reason=SAID[:100])
    audit.record("dead_letter.discarded", tenant_id=acme_world.tenant.pk, object_id=row.pk, summary=SAID)
    return replace(acme_world, deed=AuditEntry.objects.get(summary=SAID))


def shown(client: Client, world: World) -> dict[str, list[str]]:
    """By page, what it shows of what was planted."""
    pages = {url: client.get(url).content.decode() for row in world.rows for url in (page_of(row), list_of(row))}
    found = {url: [word for word in PLANTED if word in text] for url, text in pages.items()}
    return {url: words for url, words in found.items() if words}


def test_staff_see_no_address_in_what_was_said(operator: Client, viewer: Client, told: World) -> None:
    assert (shown(operator, told), shown(viewer, told)) == ({}, {})


def test_masked_words_are_still_told(viewer: Client, told: World) -> None:
    page = viewer.get(page_of(told.notification)).content.decode()

    assert page.count("550 p•••@canary.test: no such user") >= 4  # why, timeline, attempt, response


def test_whoever_may_see_addresses_sees_them_there_too(superuser: Client, told: World) -> None:
    seen = shown(superuser, told)

    rows = (told.notification, told.letter, told.event, told.integration, told.suppression, told.deed)
    assert [row for row in rows if MAIL not in seen.get(page_of(row), [])] == []
