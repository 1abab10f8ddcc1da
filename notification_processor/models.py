"""The generator's in-tray (events) and what tells it what to make of them (workflows, templates)."""

from django.db import models
from django.db.models import Q, Value

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7


class Workflow(models.Model):
    """What an event type means: which channels, which template, whether it may be declined."""

    class QuietHours(models.TextChoices):
        HOLD = "hold", "sent when they are over"
        DIGEST = "digest", "sent as one digest when they are over"
        DROP = "drop", "not sent at all"
        IGNORE = "ignore", "sent all the same"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    event_type = models.CharField(max_length=128)
    channels = models.JSONField(default=list, help_text="Empty: the channels the customer opted in to.")
    template = models.CharField(max_length=100, blank=True, help_text="Empty: the template named like the event type.")
    category = models.CharField(max_length=64, blank=True)
    is_critical = models.BooleanField(default=False, help_text="Sent whatever the customer prefers.")
    is_active = models.BooleanField(default=True, help_text="Off: events of this type notify nobody.")
    is_starter = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Came with the tenant; gives way to one of its own."
    )
    quiet_hours = models.CharField(
        max_length=10, choices=QuietHours, default=QuietHours.HOLD, db_default=QuietHours.HOLD,
        help_text="What becomes of a message for whom it is quiet.",
    )  # fmt: skip
    dedup_key = models.JSONField(
        default=list, db_default=Value([], models.JSONField()), blank=True,
        help_text="Dotted paths in the payload whose values make two events the same.",
    )  # fmt: skip
    dedup_window = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "event_type"], name="one_workflow_per_event_type")]

    def __str__(self) -> str:
        return self.event_type


class MessageTemplate(models.Model):
    """A named text for one channel and locale. Its words are in the current version; versions never change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=20)
    locale = models.CharField(max_length=35, default="en")
    current = models.OneToOneField(
        "TemplateVersion", null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "template"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name", "channel", "locale"],
                condition=Q(archived_at__isnull=True),
                name="one_template_per_name_channel_locale",
            )
        ]
        indexes = [models.Index(fields=["tenant", "id"], name="templates_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.channel}, {self.locale})"


class TemplateVersion(models.Model):
    """The text of a template at one time. Deliveries pin a version, so an edit never changes what is under way."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(MessageTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)
    is_starter = models.BooleanField(
        default=False, db_default=False, help_text="Came with the tenant; gives way to words of its own."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()
    part_of = "template"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="one_row_per_version")]

    def __str__(self) -> str:
        return f"version {self.number}"


class Event(models.Model):
    """What a tenant says happened. Kept as it came; `plan` and `cursor` are the pipeline's notes on it."""

    class State(models.TextChoices):
        ACCEPTED = "accepted"  # stored; waits for the generator (or for send_at)
        GENERATED = "generated"  # workflow, templates and audience are settled; waits for the router
        COMPLETED = "completed"  # every recipient has its ledger rows
        EXPIRED = "expired"
        FAILED = "failed"  # could not be processed at all; `error` says why

    class Priority(models.IntegerChoices):
        LOW = -1
        NORMAL = 0
        HIGH = 1

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    mode = models.CharField(max_length=4, default="live")
    event_type = models.CharField(max_length=128)
    recipients = models.JSONField(default=list, help_text="user_ids, in order.")
    topic = models.CharField(max_length=64, blank=True)
    channels = models.JSONField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - NULLs are not unique
    fingerprint = models.CharField(max_length=64, blank=True)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL)
    occurred_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.ACCEPTED)
    error = models.CharField(max_length=500, blank=True)
    plan = models.JSONField(null=True, blank=True, help_text="Channels, category and pinned template versions.")
    cursor = models.CharField(max_length=36, blank=True, help_text="The last customer, or how many recipients, done.")
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="one_event_per_idempotency_key",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="events_newest"),
            models.Index(fields=["due_at"], condition=Q(state="accepted"), name="events_accepted"),
            models.Index(fields=["tenant", "id"], condition=Q(state="generated"), name="events_generated_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"


class SeenKey(models.Model):
    """A customer was told of this by that event; until `expires_at` another event with the same key is a duplicate."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    workflow_id = models.UUIDField()
    customer_id = models.UUIDField()
    key_hash = models.CharField(max_length=64)
    event_id = models.UUIDField()
    seen_at = models.DateTimeField(help_text="When that event was due.")
    expires_at = models.DateTimeField(db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "workflow_id", "customer_id", "key_hash"], name="one_row_per_seen_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} {self.event_id}"
