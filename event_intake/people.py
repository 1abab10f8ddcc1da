"""Orders of a person. Erasing takes the person from them; what was bought stays, as books must be kept."""

from event_intake.models import Order
from traffic_control.people import Holding, Person, Rows


def export(person: Person) -> Rows:
    if person.customer_id:
        orders = Order.objects.for_tenant(person.tenant_id).filter(customer_id=person.customer_id).order_by("id")
        for row in orders.values("id", "order_number", "items", "currency", "total", "status", "created_at"):
            yield "orders", row


HOLDING = Holding(name="orders", export=export)
