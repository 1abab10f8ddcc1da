"""Orders: an example of a domain whose every change is an event."""

from django.db import models

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7
from user_preferences.models import Customer


class Order(models.Model):
    """What a customer ordered, as the tenant's shop says it. Items never change, the status does."""

    class Status(models.TextChoices):
        CREATED = "created"
        CONFIRMED = "confirmed"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False)  # both indexes below lead with it
    order_number = models.CharField(max_length=64)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.SET_NULL, related_name="+", help_text="None: forgotten since."
    )
    items = models.JSONField(help_text="sku, name, quantity, unit_price (a decimal as text)")
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=15, decimal_places=4)
    status = models.CharField(max_length=10, choices=Status, default=Status.CREATED)
    last_event_id = models.UUIDField(help_text="The event that its creation or last change published.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "order_number"], name="one_order_per_number"),
            models.CheckConstraint(
                condition=models.Q(status__in=["created", "confirmed", "shipped", "delivered", "cancelled"]),
                name="order_status_is_known",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "id"], name="orders_newest")]

    def __str__(self) -> str:
        return self.order_number
