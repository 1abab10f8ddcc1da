"""In-app messages, and one row per customer that says how their inbox stands."""

from django.db import models

from delivery_gateway.references import tenant_reference
from tenants.scoping import TenantQuerySet


class Inbox(models.Model):
    """How a customer's inbox stands. Every change of it takes this row first, so changes have one order.

    `version` grows by one with each message that arrives and each change of their states. What is told about an inbox
    is told by version: asking again costs this row and no more, and who was away can be told what they missed.
    """

    customer_id = models.UUIDField(primary_key=True, editable=False)
    tenant = tenant_reference()
    version = models.BigIntegerField(default=0)
    total = models.IntegerField(default=0, help_text="Messages that are not archived.")
    unread = models.IntegerField(default=0)
    unseen = models.IntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"{self.unread} unread"


class InboxItem(models.Model):
    """An in-app message. Its id is its notification's, so delivering twice is impossible."""

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = tenant_reference()
    customer_id = models.UUIDField()
    seq = models.BigIntegerField(default=0, db_default=0, help_text="The version of the inbox that it arrived with.")
    event_type = models.CharField(max_length=128, blank=True, default="", db_default="")
    title = models.TextField(blank=True)
    body = models.TextField(blank=True)
    payload = models.JSONField(null=True, blank=True)
    category = models.CharField(max_length=64, blank=True)
    actions_done = models.JSONField(null=True, blank=True, help_text="When each action was completed, by its key.")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["customer_id", "seq", "id"], name="inbox_in_order")]

    def __str__(self) -> str:
        return self.title
