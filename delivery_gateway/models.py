"""The ledger: one row per recipient and channel, every provider call, and what failed for good.

The hot tables carry no foreign-key constraints: the rows are written in bulk by one pipeline, and old ones are
dropped by the month, which a constraint from attempts to the ledger would turn into a scan. On PostgreSQL the ledger,
the attempts and the sandbox are partitioned by the month in their ids (`delivery_gateway.partitions`).
"""

from django.db import models
from django.db.models import Q

from delivery_gateway.copy_models import NotificationCopy
from delivery_gateway.count_models import DeliveryCount, MinuteCount
from delivery_gateway.inbox_models import Inbox, InboxItem
from delivery_gateway.references import tenant_reference
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.states import RARE, WAITING, Status
from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7

__all__ = [
    "Attempt", "DeadLetter", "DeliveryCount", "Inbox", "InboxItem", "MinuteCount", "NotificationCopy",
    "NotificationLog", "ProviderEvent", "ReplayJob", "SandboxMessage", "Suppression",
]  # fmt: skip
STATUS_CHOICES = [(s.value, s.value) for s in Status]


class NotificationLog(models.Model):
    """One message to one recipient on one channel, from acceptance to its end. The id is a UUIDv7."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = tenant_reference()
    mode = models.CharField(max_length=4, default="live", help_text="test: captured in the sandbox, never sent.")
    event_id = models.UUIDField(null=True, blank=True)
    event_type = models.CharField(max_length=128, blank=True)
    user_id = models.CharField(max_length=128, blank=True)
    customer_id = models.UUIDField(null=True, blank=True)
    channel = models.CharField(max_length=20)
    lane = models.CharField(max_length=10, help_text="The group of workers that delivers this channel.")
    to = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)
    payload = models.JSONField(null=True, blank=True)
    template_name = models.CharField(max_length=100, blank=True)
    template_version = models.PositiveIntegerField(null=True, blank=True)
    category = models.CharField(max_length=64, blank=True)
    is_critical = models.BooleanField(default=False)

    status = models.CharField(max_length=10, choices=STATUS_CHOICES, default=Status.PENDING)
    reason = models.CharField(max_length=64, blank=True, help_text="The rule that decided, e.g. channel_choice.")
    detail = models.CharField(max_length=500, blank=True, help_text="That decision or error in a sentence.")
    error_class = models.CharField(max_length=12, blank=True)
    error_code = models.CharField(max_length=100, blank=True)
    rank = models.BigIntegerField(default=0, help_text="Order of delivery within a lane, lowest first.")
    attempts = models.PositiveSmallIntegerField(default=0)
    ambiguous = models.PositiveSmallIntegerField(default=0, help_text="Times the provider may have sent it unseen.")
    crashes = models.PositiveSmallIntegerField(default=0, help_text="Leases in a row that ended with their worker.")
    fence = models.PositiveIntegerField(default=0, help_text="Counts claims; only the last claimer may finish.")
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    routed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    integration_id = models.UUIDField(null=True, blank=True)
    provider = models.CharField(max_length=40, blank=True)
    provider_message_id = models.CharField(max_length=255, blank=True)
    provider_response = models.CharField(max_length=500, blank=True)
    decision = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="What routing decided, as `traffic_control.decisions` packs it.",
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "notification"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=[s.value for s in Status]), name="ledger_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status=Status.SENDING) | Q(lease_until__isnull=False), name="ledger_sending_has_lease"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.SCHEDULED) | Q(due_at__isnull=False), name="ledger_scheduled_is_due"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="ledger_newest"),
            models.Index(fields=["tenant", "user_id", "id"], condition=~Q(user_id=""), name="ledger_by_user"),
            models.Index(fields=["event_id"], condition=Q(event_id__isnull=False), name="ledger_by_event"),
            models.Index(fields=["tenant", "status", "id"], condition=Q(status__in=RARE), name="ledger_by_status"),
            models.Index(fields=["tenant", "id"], condition=Q(status=Status.PENDING), name="ledger_pending_by_tenant"),
            models.Index(
                fields=["lane", "tenant", "rank"], condition=Q(status=Status.QUEUED), name="ledger_queued_by_tenant"
            ),
            models.Index(fields=["lease_until"], condition=Q(status=Status.SENDING), name="ledger_leased"),
            models.Index(fields=["due_at"], condition=Q(status=Status.SCHEDULED), name="ledger_scheduled"),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False, status__in=WAITING), name="ledger_expiring"
            ),
            models.Index(fields=["integration_id"], condition=Q(status=Status.HELD), name="ledger_held"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


class Attempt(models.Model):
    """One call of a provider, or one lease that ended without a word (`lapsed`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notification = models.ForeignKey(
        NotificationLog, on_delete=models.CASCADE, db_constraint=False, related_name="attempt_rows"
    )
    number = models.PositiveIntegerField(help_text="The fence of the claim: counts every call, throttled ones too.")
    outcome = models.CharField(max_length=12, help_text="sent, lapsed, or the class of the error.")
    code = models.CharField(max_length=100, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()
    part_of = "notification"

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"


class ProviderEvent(models.Model):
    """What a provider told after it took a message. Its id is derived from the news, so nothing is told twice."""

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = tenant_reference()
    notification = models.ForeignKey(
        NotificationLog, on_delete=models.CASCADE, db_constraint=False, related_name="provider_events"
    )
    kind = models.CharField(max_length=12)
    code = models.CharField(max_length=100, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.kind


class DeadLetter(models.Model):
    """What failed for good. One per notification: failing again after a replay opens the same letter again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = tenant_reference()
    notification = models.OneToOneField(
        NotificationLog, on_delete=models.CASCADE, db_constraint=False, related_name="dead_letter"
    )
    channel = models.CharField(max_length=20)
    code = models.CharField(max_length=100)
    reason = models.CharField(max_length=500)
    retry_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since then there is nothing left to send."
    )
    discarded_at = models.DateTimeField(null=True, blank=True, help_text="Put away: not to be sent again.")
    discard_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    replay_job_id = models.UUIDField(null=True, blank=True, help_text="The job that sent it again last.")

    objects = TenantQuerySet.as_manager()

    class Meta:
        permissions = [("replay_deadletter", "Can send dead letters again")]
        indexes = [
            models.Index(fields=["tenant", "id"], name="dead_letters_newest"),
            models.Index(
                fields=["replay_job_id"], condition=Q(replay_job_id__isnull=False), name="dead_letters_by_job"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.code}"


class SandboxMessage(models.Model):
    """What a test key would have sent. The id is the notification's."""

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = tenant_reference()
    channel = models.CharField(max_length=20)
    to = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)
    payload = models.JSONField(null=True, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    event_type = models.CharField(max_length=128, blank=True)
    user_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tenant", "id"], name="sandbox_newest")]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


class Suppression(models.Model):
    """An address that must not be written to again on this channel: dead, or opted out. Kept as a keyed hash.

    The scope says what is kept back: see `delivery_gateway.suppressions`.

    It lives here, below the router that obeys it, because delivery is what learns that an address is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=20)
    address_hash = models.CharField(max_length=64)
    scope = models.CharField(
        max_length=64, blank=True, default="", db_default="",
        help_text="Empty: everything. *: all but what is critical. Else that category, but what is critical.",
    )  # fmt: skip
    reason = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel", "address_hash", "scope"], name="one_suppression_per_scope"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address_hash[:12]}…"
