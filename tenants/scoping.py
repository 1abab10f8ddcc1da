"""Every query starts from a tenant. What belongs to another one does not exist: 404, never 403."""

import uuid
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.http import Http404

Row = TypeVar("Row", bound=Model)


class TenantQuerySet(QuerySet[Row]):
    """`ApiKey.objects.for_tenant(request.tenant)`"""

    def for_tenant(self, tenant: "Model | uuid.UUID") -> "TenantQuerySet[Row]":
        return self.filter(tenant_id=tenant.pk if isinstance(tenant, Model) else tenant)


def find_or_404(rows: QuerySet[Row], given: str) -> Row:
    """The row with this id among `rows`. Raises Http404, also for what is no id at all."""
    try:
        return rows.get(pk=uuid.UUID(given))
    except (ValueError, ObjectDoesNotExist) as exc:
        raise Http404 from exc
