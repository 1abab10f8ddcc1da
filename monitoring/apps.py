from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring import audit_log, roles, system_checks, watched  # noqa: F401 - importing registers the checks
        from monitoring.people import HOLDING
        from tenants import row_security
        from traffic_control import audit, people

        people.hold(HOLDING)
        audit.plug(audit_log.keep)
        watched.watch()
        last = apps.get_app_config(roles.APPS[-1])  # every permission exists by then
        post_migrate.connect(roles.create, sender=last)
        post_migrate.connect(row_security.after_migrate, sender=last)
