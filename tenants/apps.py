from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants import bad_keys, checks, isolation_checks, openapi  # noqa: F401 - importing registers them
        from tenants.people import HOLDING
        from traffic_control import people, threshold

        people.hold(HOLDING)
        threshold.plug(bad_keys.guard)
