from django.apps import AppConfig


class TrafficControlConfig(AppConfig):
    """Has no tables; it is an app so that `manage.py check` knows the checks of our settings."""

    name = "traffic_control"

    def ready(self) -> None:
        from traffic_control import settings_checks  # noqa: F401
