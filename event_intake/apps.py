from django.apps import AppConfig


class EventIntakeConfig(AppConfig):
    name = "event_intake"

    def ready(self) -> None:
        from event_intake.people import HOLDING
        from traffic_control import people

        people.hold(HOLDING)
