from django.apps import AppConfig


class DeliveryGatewayConfig(AppConfig):
    name = "delivery_gateway"
    verbose_name = "Delivery"

    def ready(self) -> None:
        from delivery_gateway import checks  # noqa: F401 - registers them
        from delivery_gateway.people import HOLDING
        from traffic_control import people

        people.hold(HOLDING)
