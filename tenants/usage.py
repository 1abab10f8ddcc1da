"""How much a tenant has of what. Apps above register their counters; this one knows only its own."""

from collections.abc import Callable

from tenants.models import ApiKey, Integration, Tenant

COUNTERS: dict[str, Callable[[Tenant], int]] = {
    "api_keys": lambda tenant: ApiKey.objects.for_tenant(tenant).filter(revoked_at=None).count(),
    "integrations": lambda tenant: Integration.objects.for_tenant(tenant).count(),
}


def count_as(name: str, counter: Callable[[Tenant], int]) -> None:
    """Call it from `AppConfig.ready`: the count appears in `GET /v1/tenants/me/`."""
    COUNTERS[name] = counter


def usage_of(tenant: Tenant) -> dict[str, int]:
    return {name: counter(tenant) for name, counter in COUNTERS.items()}
