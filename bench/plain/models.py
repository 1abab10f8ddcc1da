# ruff: noqa: DJ008 - nobody looks at these rows
import uuid

from django.db import models


class Tenant(models.Model):
    name = models.CharField(max_length=200)


class ApiKey(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    revoked = models.BooleanField(default=False)
    last_used_at = models.DateTimeField(null=True)

    @property
    def is_authenticated(self) -> bool:
        return True


class MessageTemplate(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=20)
    subject = models.TextField(blank=True)
    body = models.TextField()

    class Meta:
        unique_together = [("tenant", "name", "channel")]


class Preference(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    user_id = models.CharField(max_length=100, db_index=True)
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=300)
    wanted = models.BooleanField(default=True)


class Notification(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    template = models.ForeignKey(MessageTemplate, on_delete=models.CASCADE)
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=300)
    variables = models.JSONField(default=dict)
    status = models.CharField(max_length=20, default="pending", db_index=True)
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)


class DeadLetter(models.Model):
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE)
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)


class Event(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    event_type = models.CharField(max_length=100)
    user_id = models.CharField(max_length=100)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)


class NotificationLog(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=300)
    status = models.CharField(max_length=20)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
