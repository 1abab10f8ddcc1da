"""Every query starts from a tenant. What belongs to another one does not exist: 404, never 403.

In a request, a query of what belongs to tenants that does not name the request's own tenant raises UnscopedQuery. What
really is about all of them says so: `with across_tenants():`.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet, sql
from django.db.models.lookups import Exact, In, Lookup
from django.db.models.sql.where import AND, WhereNode
from django.http import Http404

from traffic_control.scope import current_scope

Row = TypeVar("Row", bound=Model)


class UnscopedQuery(RuntimeError):
    """A fault of ours, which in a request ends as 500 before another tenant's rows are read."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__(
            f"This query of {model._meta.label} does not name the tenant whose request it is in. "
            "Begin with .for_tenant(…); what is about all tenants says so: with across_tenants()."
        )


class TenantQuery(sql.Query):
    """Looks at itself before it is run. Subqueries are their outer query's business."""

    starts_from_row = False  # of a row at hand: customer.preferences

    def get_compiler(self, using: Any = None, connection: Any = None, elide_empty: bool = True) -> Any:
        if using is not None:
            self.check()
        return super().get_compiler(using, connection, elide_empty)

    def get_aggregation(self, using: Any, aggregate_exprs: Any) -> Any:
        self.check()
        return super().get_aggregation(using, aggregate_exprs)

    def chain(self, klass: Any = None) -> Any:
        if klass is sql.UpdateQuery:
            self.check()
        return super().chain(klass)

    def check(self) -> None:
        """Raises UnscopedQuery."""
        scope = current_scope()
        if scope.is_everybody or (self.starts_from_row and scope.tenant_id):
            return
        queries: Iterable[sql.Query] = self.combined_queries or (self,)
        if not all(query.is_empty() or (scope.tenant_id and names(query, scope.tenant_id)) for query in queries):
            raise UnscopedQuery(cast(type[Model], self.model))


def names(query: sql.Query, tenant_id: uuid.UUID) -> bool:
    """Whether every row that it finds has this tenant."""
    return any(_is_of(lookup, tenant_id) for lookup in _conditions(query.where))


def _conditions(where: WhereNode) -> Iterator[Any]:
    """Those that all have to hold."""
    if where.negated or (where.connector != AND and len(where.children) > 1):
        return
    for child in where.children:
        if isinstance(child, WhereNode):
            yield from _conditions(child)
        else:
            yield child


def _is_of(condition: Any, tenant_id: uuid.UUID) -> bool:
    if not isinstance(condition, Exact | In) or not _is_tenant(condition):
        return False
    given = condition.rhs if isinstance(condition, In) else [condition.rhs]
    return not isinstance(given, sql.Query) and all(str(one) == str(tenant_id) for one in given)


def _is_tenant(condition: "Lookup[Any]") -> bool:
    target = getattr(condition.lhs, "target", None)
    if target is None:
        return False
    is_tenants_own = target.primary_key and target.model._meta.label == "tenants.Tenant"
    return bool(target.attname == "tenant_id" or is_tenants_own)


class TenantQuerySet(QuerySet[Row]):
    """`ApiKey.objects.for_tenant(request.tenant)`"""

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, query or TenantQuery(model), using, hints)

    def for_tenant(self, tenant: "Model | uuid.UUID") -> "TenantQuerySet[Row]":
        return self.filter(tenant_id=tenant.pk if isinstance(tenant, Model) else tenant)

    def in_scope(self) -> "TenantQuerySet[Row]":
        """Of the tenant whose request this is; where there is no request, of all of them. For code that serves both."""
        scope = current_scope()
        if scope.is_everybody:
            return self.all()
        return self.filter(**{path_to_tenant(self.model): scope.tenant_id}) if scope.tenant_id else self.none()

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        if not current_scope().is_everybody:
            raise UnscopedQuery(self.model)
        return super().raw(*args, **kwargs)

    def _raw_delete(self, using: Any) -> Any:
        if isinstance(self.query, TenantQuery):
            self.query.check()
        return super()._raw_delete(using)

    def _add_hints(self, **hints: Any) -> None:
        super()._add_hints(**hints)  # type: ignore[misc]
        if "instance" in hints and isinstance(self.query, TenantQuery):
            self.query.starts_from_row = True


def path_to_tenant(model: type[Model]) -> str:
    """As a filter names it, in a model that `tenants.ownership` finds an owner of."""
    if whole := getattr(model, "part_of", ""):
        return f"{whole}__tenant_id"
    return "tenant_id" if hasattr(model, "tenant_id") else "pk"


def find_or_404(rows: QuerySet[Row], given: str) -> Row:
    """The row with this id among `rows`. Raises Http404, also for what is no id at all."""
    try:
        return rows.get(pk=uuid.UUID(given))
    except (ValueError, ObjectDoesNotExist) as exc:
        raise Http404 from exc
