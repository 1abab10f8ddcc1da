from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring import roles

        last = apps.get_app_config(roles.APPS[-1])  # every permission exists by then
        post_migrate.connect(roles.create, sender=last)
