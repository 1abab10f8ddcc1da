# ruff: noqa: DJ008 - nobody looks at these rows
import uuid

from django.db import models


class Message(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=300)
    template = models.CharField(max_length=100)
    variables = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
