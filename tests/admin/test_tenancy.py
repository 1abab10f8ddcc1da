"""Staff of one tenant: no page, choice, search or action knows of another one."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from delivery_gateway.models import DeadLetter
from notification_processor.models import Workflow
from tenants.models import ApiKey, Tenant
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import REGISTERED, act, form_of, list_of, page_of
from tests.admin.world import World
from user_preferences.models import Customer, Preference

SUPERUSERS_ONLY = ("Group", "Membership", "User")
OF_A_TENANT = [model for model in REGISTERED if model.__name__ not in SUPERUSERS_ONLY]


@pytest.mark.parametrize("model", OF_A_TENANT, ids=lambda model: model.__name__)
def test_list_shows_rows_of_own_tenant_only(model, operator: Client, acme_world: World, globex_world: World) -> None:
    response = operator.get(list_of(model))

    own = {row.pk for row in acme_world.rows if isinstance(row, model)}
    seen = {row.pk for row in response.context["cl"].result_list}
    assert own <= seen
    assert not seen & {row.pk for row in globex_world.rows}
    assert "globex" not in response.content.decode().lower()


@pytest.mark.parametrize("name", ["change", "history", "delete"])
def test_page_of_a_foreign_row_does_not_exist(name: str, operator: Client, globex_world: World) -> None:
    statuses = {row._meta.label: operator.get(page_of(row, name)).status_code for row in globex_world.rows}

    assert set(statuses.values()) <= {302, 403}  # 403 where nobody may delete at all


def test_pages_of_own_rows_do_not_mention_other_tenants(
    operator: Client, acme_world: World, globex_world: World
) -> None:
    pages = [operator.get(page_of(row)) for row in acme_world.rows]

    assert {page.status_code for page in pages} == {200}
    assert [page.request["PATH_INFO"] for page in pages if "globex" in page.content.decode().lower()] == []


@pytest.mark.parametrize("model", SUPERUSERS_ONLY)
def test_accounts_are_for_superusers(model: str, operator: Client) -> None:
    by_name = {known.__name__: known for known in REGISTERED}

    assert operator.get(list_of(by_name[model])).status_code == 403


def test_staff_without_a_tenant_see_nothing(acme_world: World) -> None:
    nobody = logged_in(staff(None, *Permission.objects.all()))

    seen = [len(nobody.get(list_of(model)).context["cl"].result_list) for model in OF_A_TENANT]

    assert set(seen) == {0}


def test_change_of_a_foreign_row_changes_nothing(operator: Client, globex_world: World) -> None:
    operator.post(page_of(globex_world.workflow), {"category": "stolen", "is_active": "on"})

    assert Workflow.objects.get(pk=globex_world.workflow.pk).category == ""


def test_action_on_a_foreign_row_does_nothing(operator: Client, acme_world: World, globex_world: World) -> None:
    act(operator, "replay", globex_world.letter, confirmed="yes")
    act(operator, "revoke", globex_world.key, confirmed="yes")

    assert DeadLetter.objects.get(pk=globex_world.letter.pk).replayed_at is None
    assert ApiKey.objects.get(pk=globex_world.key.pk).revoked_at is None


def test_new_row_belongs_to_the_tenant_of_staff_whatever_is_posted(
    operator: Client, acme_world: World, globex_world: World
) -> None:
    body = {"event_type": "order.paid", "is_active": "on", "quiet_hours": "hold", "tenant": str(globex_world.tenant.pk)}
    operator.post(reverse("admin:notification_processor_workflow_add"), body)

    assert Workflow.objects.get(event_type="order.paid").tenant == acme_world.tenant


def test_tenant_of_a_row_cannot_be_changed(superuser: Client, acme_world: World, globex_world: World) -> None:
    page = page_of(acme_world.workflow)
    superuser.post(page, {**form_of(superuser.get(page)), "category": "moved", "tenant": str(globex_world.tenant.pk)})

    workflow = Workflow.objects.get(pk=acme_world.workflow.pk)
    assert (workflow.category, workflow.tenant) == ("moved", acme_world.tenant)


def test_choice_of_a_foreign_customer_is_refused(operator: Client, acme_world: World, globex_world: World) -> None:
    body = {"customer": str(globex_world.customer.pk), "category": "news", "channel": "email", "is_enabled": "on"}
    response = operator.post(reverse("admin:user_preferences_preference_add"), body)

    assert "customer" in response.context["adminform"].form.errors
    assert not Preference.objects.filter(category="news").exists()


@pytest.mark.parametrize(("term", "found"), [("acme-user", 1), ("globex-user", 0)])
def test_autocomplete_offers_own_rows_only(
    term: str, found: int, operator: Client, acme_world: World, globex_world: World
) -> None:
    asked = {"app_label": "user_preferences", "model_name": "preference", "field_name": "customer", "term": term}

    answer = operator.get(reverse("admin:autocomplete"), asked).json()

    assert len(answer["results"]) == found


def test_unique_per_tenant_is_an_error_beside_the_field(operator: Client, acme_world: World) -> None:
    body = {"user_id": "acme-user", "preferences-TOTAL_FORMS": "0", "preferences-INITIAL_FORMS": "0"}
    response = operator.post(reverse("admin:user_preferences_customer_add"), body)

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert Customer.objects.filter(user_id="acme-user").count() == 1


def test_tenant_filter_is_for_superusers(superuser: Client, operator: Client, globex_world: World) -> None:
    query = {"tenant": str(globex_world.tenant.pk)}

    assert len(superuser.get(list_of(DeadLetter), query).context["cl"].result_list) == 1
    assert len(operator.get(list_of(DeadLetter), query).context["cl"].result_list) == 0


def test_staff_may_not_switch_their_tenant_off(operator: Client, acme_world: World) -> None:
    page = page_of(acme_world.tenant)
    operator.post(page, {key: value for key, value in form_of(operator.get(page)).items() if key != "is_active"})

    assert Tenant.objects.get(pk=acme_world.tenant.pk).is_active


def test_sign_in_is_asked_of_strangers(acme_world: World) -> None:
    User.objects.create_user("customer", password="correct horse battery")
    outsider = Client()
    outsider.login(username="customer", password="correct horse battery")

    assert outsider.get(page_of(acme_world.letter)).status_code == 302
