from django.apps import AppConfig


class UserPreferencesConfig(AppConfig):
    name = "user_preferences"
    verbose_name = "Customers"

    def ready(self) -> None:
        from tenants import usage
        from traffic_control import people
        from user_preferences.models import Customer
        from user_preferences.people import HOLDING

        people.hold(HOLDING)
        usage.count_as("customers", lambda tenant: Customer.objects.for_tenant(tenant).count())
