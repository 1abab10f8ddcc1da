"""Sums that are written along with the rows they sum up."""

from django.db import models

from delivery_gateway.references import tenant_reference
from tenants.scoping import TenantQuerySet


class DeliveryCount(models.Model):
    """How many notifications that were accepted on a day have come to a status; `delivery_gateway.counters` writes it.

    The day (UTC) is the one in the notification's id. `accepted` counts each notification that was decided on; the
    final statuses count those that have got there; what is missing between them is still under way.
    """

    pk = models.CompositePrimaryKey("tenant", "day", "channel", "mode", "status")
    tenant = tenant_reference()
    day = models.DateField()
    channel = models.CharField(max_length=20)
    mode = models.CharField(max_length=4)
    status = models.CharField(max_length=10)
    count = models.BigIntegerField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.day} {self.channel} {self.mode} {self.status}: {self.count}"


class MinuteCount(models.Model):
    """How often something happened to notifications in a minute, or a longer slot; see `delivery_gateway.minutes`.

    `what` is a status that they have come to, `accepted`, or `replayed`. `detail`: for `sent` the bucket of the time it
    took (`delivery_gateway.latency`), for `failed` the error code, for `suppressed` the rule,
    `afterwards` for what became of a message that had been sent.
    """

    pk = models.CompositePrimaryKey("tenant", "minute", "channel", "mode", "what", "detail")
    tenant = tenant_reference()
    minute = models.BigIntegerField(help_text="Minutes since 1970 at the slot's start.")
    channel = models.CharField(max_length=20)
    mode = models.CharField(max_length=4)
    what = models.CharField(max_length=10)
    detail = models.CharField(max_length=100)
    count = models.BigIntegerField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.minute} {self.channel} {self.mode} {self.what} {self.detail}: {self.count}"
