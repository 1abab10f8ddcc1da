"""Actions do what the API's calls do, ask first where it matters, and are written into the history of the row."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.states import Status
from notification_processor.models import MessageTemplate
from tenants.models import ApiKey, Integration
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import act, list_of, messages_of, page_of
from tests.admin.world import World, notification


@pytest.fixture(autouse=True)
def _wake_nobody(settings) -> None:
    """What goes back to the queue stays there: these tests look at rows, not at deliveries."""
    settings.CELERY_TASK_ALWAYS_EAGER = True


def history_of(row: Model) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=str(row.pk))]


def failed_again(world: World, count: int, **columns: object) -> None:
    rows = [
        notification(world.tenant, "acme", customer=world.customer, event=world.event, **columns) for _ in range(count)
    ]
    dead_letters.open_letters(rows)


def test_replay_sends_again_and_says_how_many(superuser: Client, acme_world: World, globex_world: World) -> None:
    response = act(superuser, "replay", acme_world.letter, globex_world.letter)

    assert "2 sent again." in messages_of(response)
    assert set(NotificationLog.objects.values_list("status", flat=True)) == {Status.QUEUED}
    assert not DeadLetter.objects.filter(replayed_at=None).exists()
    assert history_of(acme_world.letter) == ["Sent again."]


def test_replay_of_what_was_replayed_does_nothing(superuser: Client, acme_world: World) -> None:
    DeadLetter.objects.update(replayed_at=timezone.now())

    response = act(superuser, "replay", acme_world.letter)

    assert "Nothing to send again" in messages_of(response)
    assert NotificationLog.objects.get().status == Status.FAILED
    assert history_of(acme_world.letter) == []


def test_replay_asks_first_when_a_message_may_arrive_twice(superuser: Client, acme_world: World) -> None:
    NotificationLog.objects.update(ambiguous=1)

    asked = act(superuser, "replay", acme_world.letter)
    assert "1 of them may have arrived already" in asked.content.decode()
    assert NotificationLog.objects.get().status == Status.FAILED

    act(superuser, "replay", acme_world.letter, confirmed="yes")
    assert NotificationLog.objects.get().status == Status.QUEUED


def test_replay_of_many_asks_first_and_reaches_past_the_page(superuser: Client, acme_world: World) -> None:
    failed_again(acme_world, 120)

    asked = act(superuser, "replay", acme_world.letter, select_across="1")
    assert "Send 121 messages again" in asked.content.decode()

    done = act(superuser, "replay", acme_world.letter, select_across="1", confirmed="yes")
    assert "121 sent again." in messages_of(done)


def test_replay_across_pages_stays_within_the_filter(superuser: Client, acme_world: World) -> None:
    failed_again(acme_world, 3, channel="slack", lane="chat")
    chosen = {"action": "replay", "index": "0", "select_across": "1", "_selected_action": [str(acme_world.letter.pk)]}

    superuser.post(f"{list_of(DeadLetter)}?channel=slack", chosen)

    assert set(NotificationLog.objects.filter(status=Status.QUEUED).values_list("channel", flat=True)) == {"slack"}


def test_replay_needs_its_own_permission(viewer: Client, acme_world: World) -> None:
    act(viewer, "replay", acme_world.letter)

    assert NotificationLog.objects.get().status == Status.FAILED
    assert "Send again" not in viewer.get(page_of(acme_world.letter)).content.decode()


def test_replay_is_allowed_by_its_permission_alone(acme_world: World) -> None:
    allowed = Permission.objects.filter(codename__in=["replay_deadletter", "view_deadletter"])
    client = logged_in(staff(acme_world.tenant, *allowed))

    act(client, "replay", acme_world.letter)

    assert NotificationLog.objects.get().status == Status.QUEUED


def test_page_of_a_letter_offers_replay_once(superuser: Client, acme_world: World) -> None:
    before = superuser.get(page_of(acme_world.letter)).content.decode()
    act(superuser, "replay", acme_world.letter)
    after = superuser.get(page_of(acme_world.letter)).content.decode()

    assert "Send again</button>" in before
    assert "Send again</button>" not in after


def test_revoke_asks_first(superuser: Client, acme_world: World) -> None:
    test_key = acme_world.tenant.api_keys.get(mode="test")

    asked = act(superuser, "revoke", test_key)

    assert "Revoke these keys?" in asked.content.decode()
    assert ApiKey.objects.get(pk=test_key.pk).revoked_at is None


def test_revoke_ends_the_key(superuser: Client, acme_world: World) -> None:
    test_key = acme_world.tenant.api_keys.get(mode="test")

    response = act(superuser, "revoke", test_key, confirmed="yes")

    assert "1 of 1 keys revoked." in messages_of(response)
    assert ApiKey.objects.get(pk=test_key.pk).revoked_at is not None
    assert history_of(test_key) == ["Revoked."]


def test_revoke_of_the_last_admin_key_says_why_not(superuser: Client, acme_world: World) -> None:
    response = act(superuser, "revoke", acme_world.key, confirmed="yes")

    assert "last live key" in messages_of(response)
    assert ApiKey.objects.get(pk=acme_world.key.pk).revoked_at is None


def test_pause_of_an_integration_can_be_cleared(operator: Client, acme_world: World) -> None:
    Integration.objects.update(paused_at=timezone.now(), paused_reason="401 from the provider")
    assert "Clear the pause</button>" in operator.get(page_of(acme_world.integration)).content.decode()

    act(operator, "resume", acme_world.integration)

    resumed = Integration.objects.get()
    assert (resumed.paused_at, resumed.paused_reason) == (None, "")
    assert history_of(resumed) == ["Pause cleared."]


def test_archived_template_is_kept_for_reading(operator: Client, acme_world: World) -> None:
    act(operator, "archive", acme_world.template, confirmed="yes")

    archived = MessageTemplate.objects.get(pk=acme_world.template.pk)
    assert archived.archived_at is not None
    assert history_of(archived) == ["Archived."]
    assert 'name="_save"' not in operator.get(page_of(archived)).content.decode()


@pytest.mark.parametrize(("action", "name"), [("revoke", "key"), ("resume", "integration"), ("archive", "template")])
def test_actions_need_the_permission_to_change(action: str, name: str, viewer: Client, acme_world: World) -> None:
    Integration.objects.update(paused_at=timezone.now())
    row = getattr(acme_world, name)

    act(viewer, action, row, confirmed="yes")

    assert history_of(row) == []
