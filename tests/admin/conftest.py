"""Two tenants with rows, and who looks at them."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tenants.models import Membership, Tenant
from tests.admin.world import World, build


@pytest.fixture
def acme_world(db: None) -> World:
    return build("acme")


@pytest.fixture
def globex_world(db: None) -> World:
    return build("globex")


@pytest.fixture
def superuser(db: None) -> Client:
    return logged_in(User.objects.create_superuser("root", password="correct horse battery"))


@pytest.fixture
def operator(acme_world: World) -> Client:
    """Staff of Acme who may do everything that can be allowed, accounts included, except seeing addresses."""
    return logged_in(staff(acme_world.tenant, *Permission.objects.exclude(codename="view_pii")))


@pytest.fixture
def viewer(acme_world: World) -> Client:
    """Staff of Acme who may look at everything and change nothing."""
    return logged_in(
        staff(acme_world.tenant, *Permission.objects.filter(codename__startswith="view_").exclude(codename="view_pii"))
    )


def staff(tenant: Tenant | None, *permissions: Permission) -> User:
    user = User.objects.create_user(f"staff-{User.objects.count()}", password="correct horse battery", is_staff=True)
    user.user_permissions.add(*permissions)
    if tenant is not None:
        Membership.objects.create(user=user, tenant=tenant)
    return user


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
