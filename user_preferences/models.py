"""Who hears it: customers, where to reach them, and what they agreed to."""

from django.db import models

from tenants.models import Tenant
from tenants.scoping import TenantQuerySet
from traffic_control.ids import uuid7


class Customer(models.Model):
    """A recipient, known to its tenant as `user_id`. The address of the in-app channel is the customer itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False)  # both indexes below lead with it
    user_id = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    addresses = models.JSONField(default=dict, blank=True, help_text="slack, teams, telegram, webhook")
    locale = models.CharField(max_length=35, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    quiet_hours = models.JSONField(null=True, blank=True, help_text="As preferences say it; none: never quiet.")
    link_epoch = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Links to the preference page that name an earlier one are void.",
    )
    inbox_tokens_from = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="In seconds since 1970: inbox tokens issued before then are void.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user_id"], name="one_customer_per_user_id")]
        indexes = [models.Index(fields=["tenant", "id"], name="customers_in_order")]

    def __str__(self) -> str:
        return self.user_id

    def address_on(self, channel: str) -> str:
        """Empty when there is none."""
        if channel == "in_app":
            return self.user_id
        return self.email if channel == "email" else str(self.addresses.get(channel) or "")


class Preference(models.Model):
    """One choice of one customer. Sparse: no row means the default.

    An empty category means every category, an empty channel every channel.
    """

    class Source(models.TextChoices):
        API = "api"
        OPERATOR = "operator"
        UNSUBSCRIBE_LINK = "unsubscribe_link"
        PREFERENCE_PAGE = "preference_page"
        INBOX = "inbox"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="preferences", db_index=False)
    category = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=20, blank=True, default="")
    is_enabled = models.BooleanField()
    source = models.CharField(max_length=20, choices=Source, default=Source.API)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "category", "channel"], name="one_preference_per_choice")
        ]

    def __str__(self) -> str:
        state = "on" if self.is_enabled else "off"
        return f"{self.channel or 'every channel'} {state} for {self.category or 'everything'}"


class ConsentEntry(models.Model):
    """What a customer agreed to or declined at one time, and by what. Never changed; goes with the customer.

    Neither on nor off: the choice was taken back. An entry about quiet hours has these and no choice.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False)  # the indexes below lead with it
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    category = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=20, blank=True, default="")
    is_enabled = models.BooleanField(null=True)
    is_about_quiet_hours = models.BooleanField(default=False)
    quiet_hours = models.JSONField(null=True, blank=True)
    source = models.CharField(max_length=20, choices=Preference.Source)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, blank=True)
    ip_hash = models.CharField(max_length=32, blank=True, help_text="Keyed; of the person's own acts only.")
    text_version = models.CharField(max_length=40, blank=True, help_text="Of the words that the person had seen.")

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "consent log"
        indexes = [
            models.Index(fields=["tenant", "id"], name="consent_newest"),
            models.Index(fields=["customer", "id"], name="consent_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.at:%Y-%m-%d %H:%M}"


class Erasure(models.Model):
    """A person whom everything is to forget. `sealed` says who, for as long as there is something left to look for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False)  # the index below leads with it
    customer_id = models.UUIDField(null=True)
    sealed = models.TextField(blank=True)
    stage = models.CharField(max_length=20, blank=True)
    cursor = models.CharField(max_length=36, blank=True)
    requested_at = models.DateTimeField()
    next_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], name="erasures_newest"),
            models.Index(fields=["next_at"], condition=models.Q(completed_at=None), name="erasures_due"),
        ]

    def __str__(self) -> str:
        return str(self.id)
