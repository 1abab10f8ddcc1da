from django.apps import AppConfig


class UserPreferencesConfig(AppConfig):
    name = "user_preferences"
    verbose_name = "Customers"

    def ready(self) -> None:
        from tenants import usage
        from user_preferences.models import Customer

        usage.count_as("customers", lambda tenant: Customer.objects.for_tenant(tenant).count())
