"""A tenant to try things with, and an operator to look at it."""

import secrets
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.db import transaction

from tenants import services
from tenants.models import Tenant

SLUG = "demo"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Demo:
    """Working credentials. Nothing keeps them but whoever asked."""

    tenant: str
    api_key: str = field(repr=False)
    test_api_key: str = field(repr=False)
    admin_username: str = ADMIN
    admin_password: str = field(default="", repr=False)


@transaction.atomic
def prepare() -> Demo:
    """Creates what is missing. Keys and password are always new, as the old ones cannot be told again."""
    tenant = Tenant.objects.filter(slug=SLUG).first()
    if tenant is None:
        new = services.register("Demo", "demo@example.com")
        tenant, live, test = new.tenant, new.api_key, new.test_api_key
    else:
        live, test = services.renew_first_keys(tenant)
    return Demo(tenant.slug, live, test, ADMIN, _new_password())


def _new_password() -> str:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=ADMIN)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    return password
