from django.apps import AppConfig


class DeliveryGatewayConfig(AppConfig):
    name = "delivery_gateway"
    verbose_name = "Delivery"
