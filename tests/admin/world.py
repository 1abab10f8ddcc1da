"""One row of everything for a tenant, each with the tenant's name in it, so that a page that shows too much says so."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone

from delivery_gateway import dead_letters
from delivery_gateway.models import (
    Attempt,
    DeadLetter,
    InboxItem,
    NotificationLog,
    ReplayJob,
    SandboxMessage,
    Suppression,
)
from delivery_gateway.states import Status
from monitoring.models import AuditEntry
from notification_processor import templates
from notification_processor.models import Event, MessageTemplate, Workflow
from tenants.models import ApiKey, Integration, Tenant
from tenants.services import Registration, register
from traffic_control.ids import derived_uuid7, uuid7
from user_preferences import consent_log
from user_preferences.consent_log import Voice
from user_preferences.models import ConsentEntry, Customer, Preference


@dataclass(frozen=True)
class World:
    registration: Registration
    customer: Customer
    preference: Preference
    consent: ConsentEntry
    template: MessageTemplate
    workflow: Workflow
    event: Event
    notification: NotificationLog
    letter: DeadLetter
    job: ReplayJob
    inbox_item: InboxItem
    captured: SandboxMessage
    suppression: Suppression
    deed: AuditEntry

    @property
    def tenant(self) -> Tenant:
        return self.registration.tenant

    @property
    def key(self) -> ApiKey:
        return self.tenant.api_keys.get(mode="live")

    @property
    def integration(self) -> Integration:
        return self.tenant.integrations.get()

    @property
    def rows(self) -> list[Model]:
        own = [getattr(self, name) for name in World.__annotations__ if name != "registration"]
        return [self.tenant, self.key, self.integration, *own]


def build(name: str) -> World:
    registration = register(name, f"ops@{name}.test")
    tenant = registration.tenant
    customer = Customer.objects.create(
        tenant=tenant,
        user_id=f"{name}-user",
        name=f"{name} person",
        email=f"person@{name}.test",
        phone="+48123456789",
        addresses={"slack": f"https://hooks.{name}.test/secret-path"},
    )
    event = Event.objects.create(
        tenant=tenant,
        event_type=f"{name}.created",
        recipients=[customer.user_id],
        payload={"order": f"{name}-7"},
        occurred_at=timezone.now(),
        due_at=timezone.now(),
        received_at=timezone.now(),
    )
    failed_id = derived_uuid7(event.id, str(customer.id), "email")
    failed = notification(tenant, name, customer=customer, event=event, id=failed_id)
    Attempt.objects.create(
        notification=failed, number=1, outcome="transient", code="http_500", http_status=500, started_at=timezone.now()
    )
    dead_letters.open_letters([failed])
    consent_log.note(customer, {(f"{name}-news", "email"): False}, Voice(Preference.Source.UNSUBSCRIBE_LINK))
    return World(
        registration=registration,
        customer=customer,
        preference=Preference.objects.create(tenant=tenant, customer=customer, channel="slack", is_enabled=False),
        consent=ConsentEntry.objects.get(customer=customer),
        template=templates.create(
            tenant,
            name=f"{name}_hello",
            channel="email",
            locale="en",
            parts=parts(f"Hi from {name}", "Dear {{ name }}"),
        ),
        workflow=Workflow.objects.create(tenant=tenant, event_type=f"{name}.created", channels=["email"]),
        event=event,
        notification=failed,
        letter=DeadLetter.objects.get(notification=failed),
        job=ReplayJob.objects.create(
            tenant=tenant,
            state="finished",
            total=1,
            replayed=1,
            last=uuid7(),
            started_by=f"{name} operator",
            created_at=timezone.now(),
            next_at=timezone.now(),
            finished_at=timezone.now(),
        ),
        inbox_item=InboxItem.objects.create(
            id=uuid7(), tenant=tenant, customer_id=customer.id, title=f"{name} news", created_at=timezone.now()
        ),
        captured=SandboxMessage.objects.create(
            id=uuid7(),
            tenant=tenant,
            channel="email",
            to=f"test@{name}.test",
            subject=f"{name} test",
            created_at=timezone.now(),
        ),
        suppression=Suppression.objects.create(
            tenant=tenant, channel="email", address_hash="0" * 64, reason=f"{name} left"
        ),
        deed=AuditEntry.objects.get(tenant=tenant, action="tenant.created"),
    )


def notification(tenant: Tenant, name: str, *, customer: Customer, event: Event, **columns: Any) -> NotificationLog:
    defaults = {
        "id": uuid7(),
        "tenant": tenant,
        "event_id": event.id,
        "event_type": event.event_type,
        "user_id": customer.user_id,
        "customer_id": customer.id,
        "channel": "email",
        "lane": "email",
        "to": customer.email,
        "subject": f"{name} subject",
        "body": f"{name} body",
        "html": f"<p>{name} html</p>",
        "status": Status.FAILED,
        "reason": "attempts_exhausted",
        "error_class": "transient",
        "error_code": "http_500",
        "created_at": timezone.now(),
        "routed_at": timezone.now(),
    }
    return NotificationLog.objects.create(**(defaults | columns))


def parts(subject: str, body: str, html: str = "") -> dict[str, str]:
    return {"subject": subject, "body": body, "html": html}
