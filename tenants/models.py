"""Who calls: tenants, their keys, their integrations, and what they have already asked (idempotency)."""

import uuid

from django.conf import settings
from django.db import models

from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=110, unique=True)
    email = models.EmailField(help_text="Who runs this tenant; never written to by the pipeline.")
    is_active = models.BooleanField(default=True)
    channel_defaults = models.JSONField(
        default=dict, blank=True, help_text='Channels on or off for customers who have not chosen: {"slack": false}.'
    )
    default_locale = models.CharField(
        max_length=35, blank=True, default="", db_default="",
        help_text="Of templates for customers without a locale, e.g. pt-BR. Empty: en.",
    )  # fmt: skip
    timezone = models.CharField(
        max_length=64, blank=True, default="", db_default="",
        help_text="Of customers without one, e.g. Europe/Warsaw: whose quiet hours are whose. Empty: UTC.",
    )  # fmt: skip
    content_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days that addresses and texts are kept. Empty: as long as this install does."
    )
    inbox_origins = models.JSONField(
        null=True,
        blank=True,
        help_text='Origins whose pages may ask for their users\' inboxes: ["https://shop.example"].',
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        permissions = [("view_pii", "Can see addresses in full")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A member of staff who sees only this tenant in the console."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membership")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.user} at {self.tenant}"


class ApiKey(models.Model):
    """`sk_live_<public id>_<secret>`: found by its public id, proven by an HMAC of the secret."""

    class Mode(models.TextChoices):
        LIVE = "live"
        TEST = "test"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    mode = models.CharField(max_length=4, choices=Mode)
    public_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    last_four = models.CharField(max_length=4)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"sk_{self.mode}_{self.public_id}_…{self.last_four}"


class Integration(models.Model):
    """A tenant's own credentials for one provider of one channel. Secrets are sealed: see `tenants.vault`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="integrations")
    channel = models.CharField(max_length=20)
    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=100, blank=True)
    config = models.JSONField(default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    secret_hints = models.JSONField(default=dict, blank=True, editable=False)
    is_default = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel"], condition=models.Q(is_default=True), name="one_default_integration"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} through {self.provider}"


class InboxSecret(models.Model):
    """Signs the tokens with which a tenant's users see their own inbox: see `tenants.inbox_secrets`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="inbox_secrets")
    kid = models.CharField(max_length=16, unique=True)
    sealed = models.TextField(editable=False)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kid} …{self.last_four}"


class IdempotencyRecord(models.Model):
    """The first answer to an `Idempotency-Key`, written in the transaction that did the work."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False)  # the constraint's index leads with it
    scope = models.CharField(max_length=200, help_text="Method and path.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the canonical body.")
    status_code = models.PositiveSmallIntegerField(null=True)
    response = models.TextField(blank=True, help_text="The JSON as it was sent: jsonb would reorder its keys.")
    location = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "scope", "key"], name="one_idempotency_record")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class SweepMark(models.Model):
    """How far the words of a tenant's old rows have been cleared: see `tenants.retention`."""

    pk = models.CompositePrimaryKey("kind", "tenant")
    kind = models.CharField(max_length=20)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    cursor = models.UUIDField(default=uuid.UUID(int=0))

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} up to {self.cursor}"
