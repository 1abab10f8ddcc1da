"""What happened is looked at: nobody adds, changes or deletes it, superusers included."""

import pytest
from django.test import Client
from django.utils import timezone

from delivery_gateway.models import Attempt, DeadLetter, InboxItem, NotificationLog, ReplayJob, SandboxMessage
from delivery_gateway.registry import CHANNELS
from monitoring.models import AuditEntry
from notification_processor.models import Event
from tests.admin.pages import add_to, list_of, page_of
from tests.admin.world import World
from traffic_control import decisions
from traffic_control.ids import uuid7

FACTS = [Event, NotificationLog, DeadLetter, ReplayJob, InboxItem, SandboxMessage, AuditEntry]


def row_of(model, world: World):
    return next(row for row in world.rows if isinstance(row, model))


@pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
def test_fact_cannot_be_added_changed_or_deleted(model, superuser: Client, acme_world: World) -> None:
    row = row_of(model, acme_world)

    refused = [
        superuser.get(add_to(model)).status_code,
        superuser.post(add_to(model), {}).status_code,
        superuser.post(page_of(row), {"subject": "rewritten"}).status_code,
        superuser.post(page_of(row, "delete"), {"post": "yes"}).status_code,
    ]

    assert refused == [403, 403, 403, 403]
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
def test_page_of_a_fact_has_nothing_to_save(model, superuser: Client, acme_world: World) -> None:
    page = superuser.get(page_of(row_of(model, acme_world))).content.decode()

    assert 'name="_save"' not in page
    assert 'name="_addanother"' not in page


def test_delete_is_no_action_of_facts(superuser: Client, acme_world: World) -> None:
    superuser.post(
        list_of(DeadLetter),
        {"action": "delete_selected", "index": "0", "_selected_action": [str(acme_world.letter.pk)]},
    )

    assert DeadLetter.objects.filter(pk=acme_world.letter.pk).exists()


def test_notification_page_tells_its_story(superuser: Client, acme_world: World) -> None:
    page = superuser.get(page_of(acme_world.notification)).content.decode()

    told = [
        "attempt: transient",
        "HTTP 500",
        "dead letter",
        "acme body",
        page_of(acme_world.event),
        page_of(acme_world.letter),
    ]
    assert [words for words in told if words not in page] == []


def test_attempts_cannot_be_posted(superuser: Client, acme_world: World) -> None:
    superuser.post(
        page_of(acme_world.notification), {"attempt_rows-TOTAL_FORMS": "1", "attempt_rows-INITIAL_FORMS": "0"}
    )

    assert Attempt.objects.count() == 1


def test_digest_and_what_went_into_it_lead_to_each_other(superuser: Client, acme_world: World) -> None:
    digest = uuid7()
    about = {"tenant": acme_world.tenant, "channel": "email", "lane": "email", "created_at": timezone.now()}
    held = NotificationLog.objects.create(
        **about, status="suppressed", reason="digested", provider_message_id=str(digest)
    )
    item = {"id": str(held.id), "title": "<b>Parcel</b>"}
    payload, decision = {"count": 2, "more": 1, "items": [item]}, decisions.packed("digest", {}, tuple(CHANNELS))
    NotificationLog.objects.create(**about, id=digest, decision=decision, payload=payload)

    page = superuser.get(page_of(NotificationLog.objects.get(id=digest))).content.decode()
    assert f'<li><a href="{page_of(held)}">&lt;b&gt;Parcel&lt;/b&gt;</a></li>' in page
    assert "and 1 more" in page
    assert f"/{digest}/change/" in superuser.get(page_of(held)).content.decode()
