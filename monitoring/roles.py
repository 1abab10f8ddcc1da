"""Two groups to put a tenant's staff into. Made once, with the tables; what an operator changes about them stays."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

APPS = ("tenants", "user_preferences", "delivery_gateway", "notification_processor", "monitoring")  # as installed
WRITTEN = {
    "tenant": ("change",),
    "apikey": ("add", "change"),
    "integration": ("add", "change", "delete"),
    "customer": ("add", "change", "delete"),
    "preference": ("add", "change", "delete"),
    "messagetemplate": ("add", "change"),
    "workflow": ("add", "change", "delete"),
    "suppression": ("add", "delete"),
    "deadletter": ("replay",),
}
LOOKS = Q(codename__startswith="view_") & ~Q(codename="view_pii")  # seeing addresses in full is given by name only
WRITES = Q(codename__in=[f"{may}_{model}" for model, ways in WRITTEN.items() for may in ways])
ROLES = {"Tenant viewers": LOOKS, "Tenant operators": LOOKS | WRITES}


def create(using: str, **_: Any) -> None:
    """Receives `post_migrate`."""
    for name, allowed in ROLES.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        if is_new:
            ours = Permission.objects.using(using).filter(content_type__app_label__in=APPS)
            group.permissions.set(ours.filter(allowed))
