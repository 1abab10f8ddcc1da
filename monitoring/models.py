"""The audit log: who did what, when, from where. Rows are added and looked at, never changed."""

from typing import Any

from django.db import models

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7


class AppendOnly(TypeError):
    """Somebody wants to rewrite what happened."""


class AuditQuerySet(TenantQuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnly("The audit log is append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly("The audit log is append-only.")


class AuditEntry(models.Model):
    """One deed. It outlives what it was done to, and the tenant itself: hence no constraints on references."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    action = models.CharField(max_length=64, help_text="What was done to which kind of object: api_key.revoked.")
    actor_kind = models.CharField(max_length=10, help_text="api_key, user (of the console), system or anonymous.")
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150, blank=True)
    object_kind = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    summary = models.CharField(max_length=500)
    changes = models.JSONField(default=dict, help_text="By field, keyed hashes of the value before and after.")
    ip = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    at = models.DateTimeField()
    number = models.PositiveBigIntegerField(null=True, editable=False, help_text="Place in the tenant's chain, from 1.")
    digest = models.CharField(max_length=64, default="", db_default="", editable=False)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["tenant", "id"], name="audit_newest"),
            models.Index(fields=["object_id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return self.action

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("The audit log is append-only.")
        super().save(*args, **kwargs)

    def take_place(self) -> None:
        """The one change there is: a number and a digest where there were none."""
        super().save(force_update=True, update_fields=("number", "digest"))

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("The audit log is append-only.")


class AuditHead(models.Model):
    """Where a tenant's chain of entries ends. Its row is what those who add to the chain wait for each other at."""

    tenant_id = models.UUIDField(primary_key=True, editable=False)
    number = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.number}"
