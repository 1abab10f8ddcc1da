"""A row for a message that somebody of the staff sent once more."""

from django.db import models

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet


class NotificationCopy(models.Model):
    """Says of which notification another one is a copy. The id is the copy's own."""

    class Kind(models.TextChoices):
        AGAIN = "again"  # to whom it was for
        TO_STAFF = "to_staff"  # to whoever asked

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False, related_name="+")
    original_id = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=10, choices=Kind)
    made_by = models.CharField(max_length=200, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "notification copies"
        indexes = [models.Index(fields=["tenant", "id"], name="copies_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
