"""What the audit log says of a person: by our id only, which nobody can be told from once they are erased."""

from django.db.models import Q

from monitoring.models import AuditEntry
from traffic_control.people import Holding, Person, Rows


def export(person: Person) -> Rows:
    if person.customer_id:
        own = str(person.customer_id)
        entries = AuditEntry.objects.filter(Q(object_id=own) | Q(actor_id=own), tenant_id=person.tenant_id)
        for row in entries.order_by("id").values("id", "at", "action", "summary"):
            yield "audit_entries", row


HOLDING = Holding(name="audit", export=export)
