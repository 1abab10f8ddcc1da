import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from notification_processor import workflows
from notification_processor.admin import matrix as matrix_page
from notification_processor.admin import reach as reach_page
from notification_processor.models import Workflow
from notification_processor.serializers import CHANNEL_NAMES, NAME, NAME_ERROR
from tenants.admin_base import TenantForm, TenantScopedAdmin
from tenants.admin_display import pill
from tenants.admin_forms import ChannelsField, show_problem
from tenants.admin_lists import TenantFilter
from traffic_control.errors import Problem


class WorkflowForm(TenantForm):
    event_type = forms.CharField(max_length=128, validators=[RegexValidator(NAME, NAME_ERROR["invalid"])])
    channels = ChannelsField(channels=CHANNEL_NAMES, help_text="None: the channels the customer opted in to.")

    class Meta:
        model = Workflow
        fields = ("tenant", "event_type", "channels", "template", "category", "is_critical", "quiet_hours", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        tenant_id = getattr(cleaned.get("tenant"), "pk", None) or self.instance.tenant_id
        try:
            if tenant_id:
                workflows.check_template(tenant_id, cleaned.get("template", ""))
        except Problem as problem:
            show_problem(self, problem)
        self.instance.is_starter = False
        return cleaned


@admin.register(Workflow)
class WorkflowAdmin(TenantScopedAdmin):
    form = WorkflowForm
    list_display = (
        "event_type", "tenant", "shown_channels", "shown_template", "category", "is_critical", "state", "updated_at",
    )  # fmt: skip
    list_filter = ("is_active", "is_critical", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("event_type__istartswith", "template__exact")
    search_help_text = "How the event type begins, or a whole template name."
    ordering = ("event_type", "id")
    autocomplete_fields = ("tenant",)
    seen_as = {"channels": "shown_channels"}
    fieldsets = (
        (None, {"fields": ("tenant", "event_type", "is_active")}),
        ("What it means", {"fields": ("channels", "template", "category", "is_critical", "quiet_hours")}),
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("matrix/", wrap(self.matrix), name="notification_processor_workflow_matrix"),
            path("reach/<uuid:customer_id>/", wrap(self.reach), name="notification_processor_workflow_reach"),
        ]
        return [*pages, *super().get_urls()]

    def matrix(self, request: HttpRequest) -> HttpResponse:
        return matrix_page.page(request, self)

    def reach(self, request: HttpRequest, customer_id: uuid.UUID) -> HttpResponse:
        return reach_page.page(request, self, customer_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Events find their workflow by type, so a type that changed would be another workflow."""
        return [*super().get_readonly_fields(request, obj), *(["event_type"] if obj else [])]

    @admin.display(description="channels")
    def shown_channels(self, workflow: Workflow) -> str:
        return ", ".join(workflow.channels) or "as the customer chose"

    @admin.display(description="template")
    def shown_template(self, workflow: Workflow) -> str:
        return workflow.template or "named like the type"

    @admin.display(description="state")
    def state(self, workflow: Workflow) -> SafeString:
        return pill("active" if workflow.is_active else "off")
