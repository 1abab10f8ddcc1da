"""The page of all workflows and channels: what goes where, with which words, through what. With switches."""

import uuid
from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from delivery_gateway.registry import CHANNELS
from notification_processor import matrix
from notification_processor.matrix import Standing
from notification_processor.models import Workflow
from tenants.admin_base import TenantScopedAdmin, tenant_id_of
from tenants.admin_lists import TENANTS_SHOWN, as_uuid
from tenants.models import Tenant
from traffic_control.errors import Problem

ON = "on"
Change = tuple[uuid.UUID, Standing, Standing]  # the workflow, as the page had it, and as it is wanted


def page(request: HttpRequest, console: TenantScopedAdmin) -> HttpResponse:
    if not console.has_view_permission(request):
        raise PermissionDenied
    tenants = list(Tenant.objects.order_by("name")[:TENANTS_SHOWN]) if request.user.is_superuser else []
    tenant = _tenant(request, tenants)
    if request.method == "POST" and tenant is not None:
        return _saved(request, console, tenant)
    context = {
        **console.admin_site.each_context(request),
        "title": "Workflows and channels",
        "opts": Workflow._meta,
        "media": console.media,
        "tenants": tenants,
        "tenant": tenant,
        "matrix": matrix.of_tenant(tenant) if tenant else None,
        "shown": matrix.SHOWN,
        "may_change": console.has_change_permission(request),
        "may_add": console.has_add_permission(request),
    }
    return TemplateResponse(request, "notification_processor/matrix.html", context)


def _tenant(request: HttpRequest, tenants: list[Tenant]) -> Tenant | None:
    """Staff of a tenant see that tenant, whatever they ask for."""
    if not request.user.is_superuser:
        own = tenant_id_of(request)
        return Tenant.objects.filter(pk=own).first() if own else None
    wanted = as_uuid(request.GET.get("tenant", ""))
    chosen = next((one for one in tenants if one.pk == wanted), None)
    if chosen is None and wanted is not None:
        chosen = Tenant.objects.filter(pk=wanted).first()
    return chosen or next(iter(tenants), None)


def _saved(request: HttpRequest, console: TenantScopedAdmin, tenant: Tenant) -> HttpResponse:
    if not console.has_change_permission(request):
        raise PermissionDenied
    changed = list(_changed(request, console, tenant))
    told = f"{len(changed)} workflow{'' if len(changed) == 1 else 's'} changed. What is under way keeps its channels."
    if changed:
        console.log_each(request, changed, "Changed in the matrix.")
        console.message_user(request, told, messages.SUCCESS)
    url = reverse("admin:notification_processor_workflow_matrix")
    return HttpResponseRedirect(f"{url}?tenant={tenant.pk}" if request.user.is_superuser else url)


def _changed(request: HttpRequest, console: TenantScopedAdmin, tenant: Tenant) -> Iterator[Workflow]:
    """Each workflow that was. Who cannot be is told why, and holds up no other."""
    for workflow_id, was, wanted in _wished(request):
        try:
            yield matrix.change(tenant.pk, workflow_id, was=was, wanted=wanted)
        except Problem as problem:
            console.message_user(request, str(problem.detail), messages.ERROR)


def _wished(request: HttpRequest) -> Iterator[Change]:
    """Of the rows that were on the page, those that are wanted otherwise."""
    active, ticked = set(request.POST.getlist("active")), _pairs(request.POST.getlist("channel"))
    for said in request.POST.getlist("was")[: matrix.SHOWN]:
        key, was = _was(said)
        wanted = Standing(str(key) in active, frozenset(c for one, c in ticked if one == str(key) and c in CHANNELS))
        if key is not None and wanted != was:
            yield key, was, wanted


def _was(said: str) -> tuple[uuid.UUID | None, Standing]:
    """`<id>:on:email,slack`, as the page wrote it."""
    key, _, rest = said.partition(":")
    state, _, channels = rest.partition(":")
    return as_uuid(key), Standing(state == ON, frozenset(filter(None, channels.split(","))))


def _pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    parted = (value.partition(":") for value in values)
    return [(key, channel) for key, _, channel in parted]
