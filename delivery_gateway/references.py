"""How rows of the pipeline point at their tenant: without a constraint, which each of millions of inserts would pay."""

from django.db import models

from tenants.models import Tenant


def tenant_reference() -> models.ForeignKey:
    return models.ForeignKey(Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
