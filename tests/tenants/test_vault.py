"""Secrets at rest: they open for their own row only, with any key of the ring."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from tenants import integrations, vault
from tenants.models import Integration
from tenants.providers import SMTP
from tenants.rotation import Progress, rotate
from traffic_control.ids import uuid7

TENANT, OTHER_TENANT, ROW, OTHER_ROW = (uuid7() for _ in range(4))
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 16).decode()}" for name in ("k1", "k2"))


def sealed(**values: str) -> str:
    return vault.seal(values, tenant_id=TENANT, integration_id=ROW)


def test_seal_opens_again_and_shows_nothing():
    text = sealed(password="hunter2")

    assert vault.unseal(text, tenant_id=TENANT, integration_id=ROW) == {"password": "hunter2"}
    assert "hunter2" not in text
    assert text != sealed(password="hunter2")


@pytest.mark.parametrize(("tenant", "row"), [(TENANT, OTHER_ROW), (OTHER_TENANT, ROW), (ROW, TENANT)])
def test_unseal_in_another_row_fails(tenant, row):
    with pytest.raises(vault.Unopenable):
        vault.unseal(sealed(password="hunter2"), tenant_id=tenant, integration_id=row)


@pytest.mark.parametrize("text", ["derived:", "derived:!!!", "derived:AAAA", "derived", "gone:AAAA"])
def test_unseal_of_what_was_never_sealed_fails(text):
    with pytest.raises(vault.Unopenable):
        vault.unseal(text, tenant_id=TENANT, integration_id=ROW)


def test_unseal_of_an_altered_text_fails():
    text = sealed(password="hunter2")
    altered = text[:-6] + ("AAAAA=" if not text.endswith("AAAAA=") else "BBBBB=")

    with pytest.raises(vault.Unopenable):
        vault.unseal(altered, tenant_id=TENANT, integration_id=ROW)


def test_first_key_of_the_ring_seals_and_all_open(settings):
    derived = sealed(password="0")
    settings.CREDENTIALS_KEYS = [OLD]
    old = sealed(password="1")
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    new = sealed(password="2")

    opened = [vault.unseal(text, tenant_id=TENANT, integration_id=ROW)["password"] for text in (derived, old, new)]

    assert [text.partition(":")[0] for text in (derived, old, new)] == ["derived", "k1", "k2"]
    assert opened == ["0", "1", "2"]


@pytest.mark.parametrize(
    "entry", ["nokey", "k1:AAAA", "k1:not base64", ":" + OLD.partition(":")[2], "derived:" + "A" * 43]
)
def test_unusable_ring_names_the_entry(entry, settings):
    settings.CREDENTIALS_KEYS = [entry]

    with pytest.raises(ImproperlyConfigured, match="CREDENTIALS_KEYS"):
        vault.current_key_id()


def seven_integrations(tenant) -> list[Integration]:
    return [
        integrations.create(tenant, "email", provider=SMTP, values={"host": "mx.acme.test", "password": f"secret-{n}"})
        for n in range(7)
    ]


def test_rotation_reseals_in_batches_and_goes_on_where_it_stopped(acme, settings):
    rows = seven_integrations(acme.tenant)
    settings.CREDENTIALS_KEYS = [NEW]

    interrupted = next(rotate(batch=3))
    resumed = list(rotate(batch=3))
    again = list(rotate(batch=100))

    assert interrupted == Progress(seen=3, resealed=3)
    assert resumed == [Progress(3, 0), Progress(6, 3), Progress(8, 5)]
    assert again == [Progress(8, 0)]
    settings.SECRET_KEY = "another-secret-key"  # the derived key is gone with it
    reread = {row.id: integrations.opened(row) for row in Integration.objects.filter(channel="email")}
    assert [reread[row.id].values["password"] for row in rows] == [f"secret-{n}" for n in range(7)]


def test_rotation_changes_no_version(acme, settings):
    """Channels built from an integration need not be built again."""
    row = seven_integrations(acme.tenant)[0]
    before = integrations.opened(row).version
    settings.CREDENTIALS_KEYS = [NEW]

    list(rotate())

    row.refresh_from_db()
    assert integrations.opened(row).version == before


def test_rotate_credentials_command_names_what_no_key_opens(acme, settings, capsys):
    settings.CREDENTIALS_KEYS = [NEW]
    call_command("rotate_credentials", batch=1)
    settings.CREDENTIALS_KEYS = [OLD]

    with pytest.raises(CommandError, match=r"1 could not be opened .* [0-9a-f-]{36}"):
        call_command("rotate_credentials")

    printed = capsys.readouterr().out
    assert "1 rows looked at, 1 sealed anew" in printed
    assert 'Everything is sealed with the key "k2".' in printed
