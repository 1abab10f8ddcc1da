"""The two groups that a tenant's staff are put into."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from monitoring import roles
from tenants.models import ApiKey
from tests.admin.conftest import logged_in, staff
from tests.admin.pages import act, list_of, page_of
from tests.admin.world import World


@pytest.fixture
def grouped(acme_world: World):
    def make(name: str) -> Client:
        user = staff(acme_world.tenant)
        user.groups.add(Group.objects.get(name=name))
        return logged_in(user)

    return make


@pytest.mark.parametrize("name", roles.ROLES)
def test_role_may_look_at_every_row_of_its_tenant(name: str, grouped, acme_world: World) -> None:
    client = grouped(name)

    statuses = {client.get(url).status_code for row in acme_world.rows for url in (list_of(row), page_of(row))}

    assert statuses == {200}


def test_operators_act_and_viewers_do_not(grouped, acme_world: World) -> None:
    key = acme_world.tenant.api_keys.get(mode="test")

    act(grouped("Tenant viewers"), "revoke", key, confirmed="yes")
    assert ApiKey.objects.get(pk=key.pk).revoked_at is None

    act(grouped("Tenant operators"), "revoke", key, confirmed="yes")
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


@pytest.mark.parametrize("name", roles.ROLES)
def test_no_role_sees_addresses_or_adds_tenants(name: str, db: None) -> None:
    allowed = set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))

    assert not allowed & {"view_pii", "add_tenant", "delete_tenant", "add_membership", "change_membership"}


def test_role_that_an_operator_changed_stays_as_it_is(db: None) -> None:
    group = Group.objects.get(name="Tenant viewers")
    group.permissions.clear()

    roles.create(using="default")

    assert not group.permissions.exists()
