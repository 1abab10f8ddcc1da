from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery_gateway import replays
from delivery_gateway.models import ReplayJob
from tenants.admin_base import FactAdmin
from tenants.admin_display import json_block, link_to_list, pairs, pill
from tenants.admin_lists import AgeFilter, TenantFilter, by_id, one_of


@admin.register(ReplayJob)
class ReplayJobAdmin(FactAdmin):
    """Dead letters sent again in the background. The page of one that runs looks again by itself."""

    list_display = ("created_at", "shown_state", "progress", "rate", "started_by", "tenant")
    list_filter = (one_of("state", ReplayJob.State.values), AgeFilter, TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("id",)
    search_help_text = "The id of a replay."
    actions = ("cancel",)
    page_actions = ("cancel",)
    change_form_template = "delivery_gateway/replay_job.html"
    fieldsets = (
        (None, {"fields": ("letters", "rate", "shown_choice")}),
        ("When", {"fields": ("created_at", "finished_at")}),
        ("Further", {"fields": ("id", "tenant", "started_by")}),
    )

    def matches(self, request: HttpRequest, rows: QuerySet[ReplayJob], term: str) -> QuerySet[ReplayJob]:
        return by_id(rows, term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The last time that a page asks by itself, it is loaded as a whole: nothing is left to cancel."""
        job = self.get_object(request, unquote(object_id))
        shown = {"job": self._shown(job) if job else None, **(extra_context or {})}
        page = super().change_view(request, object_id, form_url, shown)
        if "HX-Request" in request.headers and not (job and job.state == ReplayJob.State.RUNNING):
            page.headers["HX-Refresh"] = "true"
        return page

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery_gateway.replay_deadletter")

    def offers(self, action: str, row: Any) -> bool:
        return bool(row.state == ReplayJob.State.RUNNING)

    @admin.action(description="Cancel", permissions=["replay"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[ReplayJob]) -> None:
        for job in chosen.filter(state=ReplayJob.State.RUNNING)[:100]:
            stopped = replays.cancel(job.tenant_id, job.pk)
            self.log_each(request, [job], "Cancelled.")
            self.message_user(request, f"Stopped: {stopped}.", messages.SUCCESS)

    @admin.display(description="state")
    def shown_state(self, job: ReplayJob) -> SafeString:
        return pill(job.state)

    @admin.display(description="progress")
    def progress(self, job: ReplayJob) -> SafeString:
        return format_html(
            '<progress value="{}" max="{}" aria-label="Letters sent again">{}</progress> {} of {}',
            job.replayed, job.total, job.replayed, job.replayed, job.total,
        )  # fmt: skip

    def _shown(self, job: ReplayJob) -> dict[str, SafeString]:
        outcomes = pairs(replays.outcomes(job), between=", ")
        return {"state": self.shown_state(job), "progress": self.progress(job), "outcomes": outcomes}

    @admin.display(description="letters")
    def letters(self, job: ReplayJob) -> SafeString:
        return link_to_list("delivery_gateway_deadletter", "Show", replay_job_id=job.pk)

    @admin.display(description="which letters")
    def shown_choice(self, job: ReplayJob) -> SafeString:
        return json_block(job.chosen)
