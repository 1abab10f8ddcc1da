"""The test button of an integration: a real message, through this integration, by the way of all messages."""

import pytest
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from delivery_gateway.delivery import deliver
from delivery_gateway.models import NotificationLog
from monitoring.models import AuditEntry
from tenants import integration_config, integrations
from tenants.models import Integration, Tenant
from tenants.providers import provider_of
from tests.admin.pages import messages_of, page_of
from tests.admin.world import World
from tests.peers.slack import SlackPeer


def trial_of(integration: Integration) -> str:
    return reverse("admin:delivery_gateway_notificationlog_trial", args=[integration.pk])


def slack(tenant: Tenant, url: str, *, is_default: bool = True) -> Integration:
    provider = provider_of("slack")
    assert provider is not None
    values, _ = integration_config.completed(provider, {"url": url})
    return integrations.create(tenant, "slack", provider=provider, values=values, is_default=is_default)


@pytest.fixture
def allowed(settings, inline) -> None:
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True


@pytest.fixture
def hook(slack_peer: SlackPeer, allowed: None) -> SlackPeer:
    return slack_peer


def sent(client: Client, integration: Integration, to: str = "") -> NotificationLog:
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = client.post(trial_of(integration), {"to": to}, follow=True)
    assert "on its way" in messages_of(response)
    return NotificationLog.objects.get(event_type="integration.test")


def test_message_goes_through_the_ledger_and_is_noted(operator: Client, acme_world: World, hook: SlackPeer) -> None:
    integration = slack(acme_world.tenant, hook.url)

    row = sent(operator, integration)

    entry = AuditEntry.objects.get(action="integration.tested")
    assert (row.status, row.tenant, row.integration_id, row.to) == ("sent", acme_world.tenant, integration.pk, "")
    assert [attempt.outcome for attempt in row.attempt_rows.all()] == ["sent"]
    assert len(hook.received) == 1
    assert (entry.object_id, entry.actor_kind, str(row.pk) in entry.summary) == (str(integration.pk), "user", True)


def test_integration_that_is_not_the_default_is_the_one_that_sends(
    operator: Client, acme_world: World, hook: SlackPeer
) -> None:
    slack(acme_world.tenant, "https://hooks.slack.test/services/default")
    second = slack(acme_world.tenant, hook.url, is_default=False)

    assert sent(operator, second).integration_id == second.pk
    assert len(hook.received) == 1


def test_success_ends_a_pause(operator: Client, acme_world: World, hook: SlackPeer) -> None:
    integration = slack(acme_world.tenant, hook.url)
    Integration.objects.filter(pk=integration.pk).update(paused_at=timezone.now(), paused_reason="http_403")

    assert sent(operator, integration).status == "sent"
    assert Integration.objects.get(pk=integration.pk).paused_at is None


def test_refused_credentials_are_told_on_the_page(operator: Client, acme_world: World, hook: SlackPeer) -> None:
    integration = slack(acme_world.tenant, hook.url)
    hook.always("403")

    row = sent(operator, integration)

    assert (row.status, row.error_class) == ("failed", "config")
    assert Integration.objects.get(pk=integration.pk).paused_at is not None
    assert "It failed for good after 1 attempt" in operator.get(page_of(row)).content.decode()


def test_integration_that_is_gone_fails_the_message(operator: Client, acme_world: World, settings) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    integration = slack(acme_world.tenant, "https://hooks.slack.test/services/x")
    row = sent(operator, integration)
    integration.delete()

    deliver("chat")

    row.refresh_from_db()
    assert (row.status, row.error_code) == ("failed", "integration_gone")


def test_address_is_asked_for_where_there_is_none(operator: Client, acme_world: World) -> None:
    page = operator.post(trial_of(acme_world.integration), {"to": ""})
    wrong = operator.post(trial_of(acme_world.integration), {"to": "nowhere"})

    assert page.context["form"].errors["to"]
    assert wrong.context["form"].errors["to"]
    assert not NotificationLog.objects.filter(event_type="integration.test").exists()


def test_button_is_for_whoever_may_change_the_integration(
    operator: Client, viewer: Client, acme_world: World, globex_world: World
) -> None:
    link = trial_of(acme_world.integration)

    assert link in operator.get(page_of(acme_world.integration)).content.decode()
    assert link not in viewer.get(page_of(acme_world.integration)).content.decode()
    assert viewer.post(link, {"to": "https://x.test/"}).status_code == 403
    assert operator.get(trial_of(globex_world.integration)).status_code == 404
