"""Forms write through the same services as the API: the same rules, and nothing secret comes back."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client, TestCase
from django.urls import reverse

from delivery_gateway import suppressions
from delivery_gateway.models import Suppression
from monitoring.models import AuditEntry
from notification_processor.models import MessageTemplate, Workflow
from tenants import keys
from tenants.integrations import opened
from tenants.models import ApiKey, Integration, Tenant
from tenants.services import revoke
from tests.admin.pages import form_of, list_of, messages_of, page_of
from tests.admin.world import World
from user_preferences.models import Customer, Preference

NO_INLINE = {"preferences-TOTAL_FORMS": "0", "preferences-INITIAL_FORMS": "0"}


def edited(client: Client, row: Model, **changes: object) -> Any:
    """Opens the page, types, saves."""
    page = page_of(row)
    return client.post(page, form_of(client.get(page)) | changes, follow=True)


def errors_of(response: Any) -> Any:
    return response.context["adminform"].form.errors


# --- Keys and tenants ---


def test_new_key_is_shown_once_and_works(operator: Client, acme_world: World) -> None:
    body = {"name": "CI", "mode": "live", "scopes": ["read", "send"]}
    response = operator.post(reverse("admin:tenants_apikey_add"), body, follow=True)

    key = ApiKey.objects.get(name="CI")
    raw = next(
        word for word in messages_of(response).replace("<", " ").replace(">", " ").split() if word.startswith("sk_live")
    )
    assert keys.proves(raw, key)
    assert (key.tenant, key.scopes) == (acme_world.tenant, ["read", "send"])
    assert raw not in "".join(operator.get(url).content.decode() for url in (list_of(key), page_of(key)))


def test_scopes_of_a_key_are_changed_and_noted(operator: Client, acme_world: World) -> None:
    key, _ = keys.issue(acme_world.tenant, "live", name="CI", scopes=["read", "send", "replay"])

    response = edited(operator, key, name="Renamed", scopes=["customers", "read"], mode="test")

    changed, entry = ApiKey.objects.get(pk=key.pk), AuditEntry.objects.get(action="api_key.scopes_changed")
    assert (changed.name, changed.mode, changed.scopes) == ("Renamed", "live", ["read", "customers"])
    assert (entry.object_id, entry.actor_kind) == (str(key.pk), "user")
    assert entry.summary.endswith("may read, customers from now on; before: read, send, replay")
    assert "within five seconds" in messages_of(response)


def test_last_admin_key_stays_one(operator: Client, acme_world: World) -> None:
    refused = edited(operator, acme_world.key, name="Renamed", scopes=["read"])

    assert "last live key" in errors_of(refused)["scopes"][0]
    assert "admin" in ApiKey.objects.get(pk=acme_world.key.pk).scopes


def test_nobody_lets_a_key_see_what_they_do_not_see(operator: Client, superuser: Client, acme_world: World) -> None:
    key, _ = keys.issue(acme_world.tenant, "live", name="CI", scopes=["read"])

    refused = edited(operator, key, scopes=["read", "pii"])
    edited(superuser, key, scopes=["read", "pii"])

    assert "addresses" in errors_of(refused)["scopes"][0]
    assert ApiKey.objects.get(pk=key.pk).scopes == ["read", "pii"]


def test_scopes_of_a_revoked_key_stay(operator: Client, acme_world: World) -> None:
    key, _ = keys.issue(acme_world.tenant, "live", name="CI", scopes=["read", "send"])
    revoke(key)

    operator.post(page_of(key), {"name": "CI", "scopes": ["read"]})

    assert ApiKey.objects.get(pk=key.pk).scopes == ["read", "send"]


def test_changed_scopes_count_at_once(operator: Client, acme_world: World) -> None:
    key, raw = keys.issue(acme_world.tenant, "live", name="CI", scopes=["read", "send"])
    caller = Client(headers={"X-API-KEY": raw})
    assert caller.get("/v1/templates/").status_code == 200

    with TestCase.captureOnCommitCallbacks(execute=True):
        edited(operator, key, scopes=["send"])

    assert caller.get("/v1/templates/").status_code == 403


def test_new_tenant_comes_with_its_keys(superuser: Client) -> None:
    response = superuser.post(
        reverse("admin:tenants_tenant_add"), {"name": "Initech", "email": "ops@initech.test"}, follow=True
    )

    tenant = Tenant.objects.get(slug="initech")
    assert tenant.api_keys.count() == 2
    assert [word for word in ("sk_live_", "sk_test_", "whsec_") if word not in messages_of(response)] == []


def test_channel_defaults_are_three_way(operator: Client, acme_world: World) -> None:
    edited(operator, acme_world.tenant, default_slack="off", default_email="on")
    edited(operator, acme_world.tenant, default_email="")

    assert Tenant.objects.get(pk=acme_world.tenant.pk).channel_defaults == {"slack": False}


# --- Integrations ---


def test_secret_of_an_integration_goes_in_and_never_out(operator: Client, acme_world: World) -> None:
    url = reverse("admin:tenants_integration_add") + "?channel=email"
    body = {"host": "smtp.acme.test", "username": "acme", "password": "a long password 9876", "is_default": "on"}
    operator.post(url, body)

    row = Integration.objects.get(channel="email")
    page = operator.get(page_of(row)).content.decode() + operator.get(list_of(row)).content.decode()
    assert opened(row).values["password"] == "a long password 9876"
    assert "a long password" not in page
    assert "9876" in page


def test_secret_left_empty_stays(operator: Client, acme_world: World) -> None:
    before = opened(acme_world.integration).values["secret"]

    edited(operator, acme_world.integration, url="https://acme.test/hook", secret="")

    values = opened(acme_world.integration).values
    assert (values["secret"], values["url"]) == (before, "https://acme.test/hook")


def test_signing_secret_that_is_forgotten_is_replaced_and_told_once(operator: Client, acme_world: World) -> None:
    before = opened(acme_world.integration).values["secret"]

    response = edited(operator, acme_world.integration, forget_secret="on")

    after = opened(acme_world.integration).values["secret"]
    assert after != before
    assert after in messages_of(response)


def test_wrong_setting_is_an_error_beside_its_field(operator: Client, acme_world: World) -> None:
    url = reverse("admin:tenants_integration_add") + "?channel=slack"

    response = operator.post(url, {"url": "not a url", "is_default": "on"})

    assert "url" in errors_of(response)
    assert not Integration.objects.filter(channel="slack").exists()


# --- Templates and workflows ---


def test_edit_of_a_template_makes_a_version(operator: Client, acme_world: World) -> None:
    response = edited(operator, acme_world.template, body="Dear\r\n{{ name }}", subject="")

    first, second = acme_world.template.versions.order_by("number")
    assert "Version 2 is in use" in messages_of(response)
    assert MessageTemplate.objects.get(pk=acme_world.template.pk).current == second
    assert (first.body, second.body, second.subject) == ("Dear {{ name }}", "Dear\n{{ name }}", "")


def test_save_of_the_same_words_makes_no_version(operator: Client, acme_world: World) -> None:
    edited(operator, acme_world.template)

    assert acme_world.template.versions.count() == 1


def test_syntax_error_is_shown_with_its_line(operator: Client, acme_world: World) -> None:
    response = edited(operator, acme_world.template, body="Hello\r\n{% if x %}\r\n{{ y ")

    (error,) = errors_of(response)["body"]
    assert "line 3" in error
    assert acme_world.template.versions.count() == 1


def test_new_template_has_its_first_version(operator: Client, acme_world: World) -> None:
    body = {"name": "bye", "channel": "slack", "locale": "en", "body": "Bye {{ name }}"}
    operator.post(reverse("admin:notification_processor_messagetemplate_add"), body)

    template = MessageTemplate.objects.get(name="bye")
    assert (template.tenant, template.current) == (acme_world.tenant, template.versions.get(number=1))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "acme_hello", "channel": "email", "locale": "en", "body": "x"}, "name"),
        ({"name": "no spaces", "channel": "email", "locale": "en", "body": "x"}, "name"),
        ({"name": "bye", "channel": "email", "locale": "english", "body": "x"}, "locale"),
        ({"name": "bye", "channel": "email", "locale": "en"}, "body"),
    ],
)
def test_template_that_will_not_do_is_refused(
    body: dict[str, str], field: str, operator: Client, acme_world: World
) -> None:
    before = MessageTemplate.objects.count()
    response = operator.post(reverse("admin:notification_processor_messagetemplate_add"), body)

    assert field in errors_of(response)
    assert MessageTemplate.objects.count() == before


def test_workflow_names_a_template_that_exists(operator: Client, acme_world: World) -> None:
    refused = edited(operator, acme_world.workflow, template="acme_helo")
    assert "Did you mean" in errors_of(refused)["template"][0]

    edited(operator, acme_world.workflow, template="acme_hello", channels=["email", "slack"])
    workflow = Workflow.objects.get(pk=acme_world.workflow.pk)
    assert (workflow.template, workflow.channels) == ("acme_hello", ["email", "slack"])


# --- Customers ---


def test_customer_is_checked_as_the_api_does(superuser: Client, acme_world: World) -> None:
    refused = edited(superuser, acme_world.customer, email="nobody", slack="ftp://x", timezone="Mars/Base")

    assert set(errors_of(refused)) == {"email", "slack", "timezone"}


def test_address_of_a_customer_can_be_set_and_taken_away(superuser: Client, acme_world: World) -> None:
    edited(superuser, acme_world.customer, slack="", telegram="12345", phone="+48 (22) 555-0100")

    customer = Customer.objects.get()
    assert (customer.addresses, customer.phone) == ({"telegram": "12345"}, "+48225550100")


def test_choice_made_on_the_customer_page_is_the_operators(operator: Client, acme_world: World) -> None:
    inline = {
        "preferences-TOTAL_FORMS": "1",
        "preferences-INITIAL_FORMS": "0",
        "preferences-0-category": "news",
        "preferences-0-channel": "email",
    }
    operator.post(page_of(acme_world.customer), {"name": "Ada", "attributes": "{}", **inline})

    choice = Preference.objects.get(category="news")
    assert (choice.tenant, choice.is_enabled, choice.source) == (acme_world.tenant, False, "operator")


def test_suppressed_address_is_kept_as_a_hash_and_found_by_itself(operator: Client, acme_world: World) -> None:
    body = {"channel": "email", "address": "Gone@Acme.test", "reason": "asked by phone"}
    operator.post(reverse("admin:delivery_gateway_suppression_add"), body)

    wanted = (acme_world.tenant.pk, "email", "gone@acme.test")
    found = operator.get(list_of(Suppression), {"q": "gone@acme.test"}).context["cl"].result_list
    assert suppressions.among([wanted]).reasons == {wanted: {"": "asked by phone"}}
    assert [row.reason for row in found] == ["asked by phone"]
    assert "gone@" not in operator.get(page_of(found[0])).content.decode().lower()


def test_suppressing_an_address_twice_is_an_error(operator: Client, acme_world: World) -> None:
    body = {"channel": "email", "address": "gone@acme.test", "reason": "asked"}
    operator.post(reverse("admin:delivery_gateway_suppression_add"), body)

    response = operator.post(reverse("admin:delivery_gateway_suppression_add"), body)

    assert "address" in errors_of(response)
