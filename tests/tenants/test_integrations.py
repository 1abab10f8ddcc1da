"""Integrations as delivery asks for them."""

import base64

from django.db import connection

from tenants import integrations
from tenants.models import Integration
from tenants.providers import SLACK_HOOK, SMTP

HOOK = "https://hooks.example.com/services/T000/B000/XXXXXXXX"


def slack(tenant, **options) -> Integration:
    return integrations.create(tenant, "slack", provider=SLACK_HOOK, values={"url": HOOK}, **options)


def test_default_integrations_opens_those_of_all_tenants_in_one_query(acme, globex, django_assert_num_queries):
    mine, theirs = slack(acme.tenant), slack(globex.tenant)
    slack(acme.tenant, is_default=False)

    with django_assert_num_queries(1):
        found = integrations.default_integrations({acme.tenant.id, globex.tenant.id}, "slack")

    assert {tenant_id: config.id for tenant_id, config in found.items()} == {
        acme.tenant.id: mine.id,
        globex.tenant.id: theirs.id,
    }
    config = found[acme.tenant.id]
    assert (config.channel, config.provider, config.values, config.is_paused) == (
        "slack",
        "webhook",
        {"url": HOOK},
        False,
    )
    assert HOOK not in repr(config)


def test_default_integrations_leaves_out_what_is_not_active(acme):
    Integration.objects.filter(pk=slack(acme.tenant).pk).update(is_active=False)

    assert integrations.default_integrations({acme.tenant.id}, "slack") == {}


def test_values_are_texts(acme):
    values = {"host": "mx.acme.test", "port": 2525, "use_tls": False, "password": "hunter2hunter2"}
    row = integrations.create(acme.tenant, "email", provider=SMTP, values=values)

    opened = integrations.opened(Integration.objects.get(pk=row.pk))

    assert opened.values == {"host": "mx.acme.test", "port": "2525", "use_tls": "false", "password": "hunter2hunter2"}


def test_secrets_are_nowhere_in_the_database_in_the_clear(acme):
    slack(acme.tenant)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenants_integration WHERE channel = 'slack'")
        (row,) = cursor.fetchall()

    assert "B000" not in repr(row)


def test_ciphertext_moved_to_another_row_does_not_open_and_stops_nobody_else(acme, globex, caplog):
    mine, theirs = slack(acme.tenant), slack(globex.tenant)
    Integration.objects.filter(pk=theirs.pk).update(sealed=mine.sealed)

    found = integrations.default_integrations({acme.tenant.id, globex.tenant.id}, "slack")

    assert found[acme.tenant.id].values == {"url": HOOK}
    assert (found[globex.tenant.id].values, found[globex.tenant.id].is_paused) == ({}, True)
    assert caplog.messages == ["integration not usable: The sealed text was altered, or belongs to another row."]


def test_pause_keeps_the_first_reason_and_resume_lifts_it(acme):
    row = slack(acme.tenant)

    integrations.pause(row.id, "invalid_token")
    integrations.pause(row.id, "another")
    row.refresh_from_db()
    paused = (integrations.opened(row).is_paused, row.paused_reason)
    integrations.resume(row.id)
    row.refresh_from_db()

    assert paused == (True, "invalid_token")
    assert (integrations.opened(row).is_paused, row.paused_reason) == (False, "")


def test_a_new_default_replaces_the_old_one(acme):
    first, second = slack(acme.tenant), slack(acme.tenant)

    first.refresh_from_db()
    assert (first.is_default, second.is_default) == (False, True)


def test_version_changes_with_the_values(acme):
    row = slack(acme.tenant)
    before = integrations.opened(row).version

    integrations.change(row, provider=SLACK_HOOK, values={"url": HOOK + "2"})

    assert integrations.opened(row).version != before


def test_new_signing_secret_is_as_standard_webhooks_wants_it():
    secret = integrations.new_signing_secret()

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
