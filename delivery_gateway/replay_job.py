"""A row for dead letters that are sent again in the background."""

from django.db import models
from django.db.models import Q

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7


class ReplayJob(models.Model):
    """Which letters, how fast, and how far it is. `cursor` and what it replayed commit together."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    chosen = models.JSONField(default=dict, help_text="Which letters, by channel, code, event and ids.")
    rate = models.PositiveIntegerField(null=True, blank=True, help_text="Letters a second; empty: as fast as it goes.")
    total = models.PositiveIntegerField(help_text="Letters that there were at the start.")
    replayed = models.PositiveIntegerField(default=0)
    last = models.UUIDField(help_text="The newest letter there was at the start.")
    cursor = models.UUIDField(null=True, blank=True, help_text="The letter up to which all is done.")
    started_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], name="replay_jobs_newest"),
            models.Index(fields=["next_at"], condition=Q(state="running"), name="replay_jobs_due"),
        ]

    def __str__(self) -> str:
        return f"{self.replayed} of {self.total} sent again"
