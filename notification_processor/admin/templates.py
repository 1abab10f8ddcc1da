import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from notification_processor import templates
from notification_processor.admin import template_pane, template_versions
from notification_processor.admin.template_form import TemplateForm
from notification_processor.models import MessageTemplate, TemplateVersion
from notification_processor.serializers import CHANNEL_NAMES
from tenants.admin_actions import confirmation, is_confirmed
from tenants.admin_base import ReadOnly, TenantScoped, TenantScopedAdmin
from tenants.admin_display import DASH, html_frame, pill, text_block
from tenants.admin_lists import TenantFilter, is_set, one_of
from tenants.console_policy import closed
from tenants.models import Tenant
from traffic_control import audit

PAGES = "notification_processor_messagetemplate"
WITH_HTML = ("email", "telegram")


class VersionInline(ReadOnly, TenantScoped, TabularInline):
    """Versions never change: what was sent can always be explained."""

    model = TemplateVersion
    tenant_path = "template__tenant"
    classes = ("bare",)
    verbose_name_plural = "Versions"
    hide_title = True
    fields = readonly_fields = ("number", "shown_subject", "words", "created_at", "changes")
    ordering = ("-number",)
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("notification_processor.view_messagetemplate")

    @admin.display(description="subject")
    def shown_subject(self, version: TemplateVersion) -> str:
        return version.subject

    @admin.display(description="words")
    def words(self, version: TemplateVersion) -> SafeString:
        parts = format_html("{}{}", text_block(version.body), text_block(version.html) if version.html else "")
        return format_html("<details><summary>Show</summary>{}</details>", parts)

    @admin.display(description="changes")
    def changes(self, version: TemplateVersion) -> SafeString:
        """What it has changed; of an earlier one also what is different now."""
        page = reverse(f"admin:{PAGES}_versions", args=[version.template_id])
        links = [(page, "after", "What it changed")] if version.number > 1 else []
        links += [(page, "before", "Compare with now")] if version.pk != version.template.current_id else []
        shown = ((at, name, version.number, text) for at, name, text in links)
        return format_html_join(" · ", '<a href="{}?{}={}">{}</a>', shown) or SafeString(DASH)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateVersion]:
        return super().get_queryset(request).select_related("template")


def _words_of(template: MessageTemplate | None) -> list[str]:
    """Fields. Most channels have no HTML; what is stored is shown all the same."""
    if template is None:
        return list(templates.PARTS)
    has_html = template.channel in WITH_HTML or (template.current and template.current.html)
    return ["subject", "body", *(["html"] if has_html else []), "based_on"]


@admin.register(MessageTemplate)
class TemplateAdmin(TenantScopedAdmin):
    form = TemplateForm
    list_display = ("name", "channel", "locale", "tenant", "version", "state", "updated_at")
    list_filter = (
        one_of("channel", CHANNEL_NAMES),
        is_set("archived_at", title="state", no="in use", yes="archived"),
        TenantFilter,
    )
    list_select_related = ("tenant", "current")
    search_fields = ("name__istartswith",)
    search_help_text = "How the name begins."
    ordering = ("name", "channel", "locale", "id")
    autocomplete_fields = ("tenant",)
    actions = ("archive",)
    page_actions = ("archive",)
    inlines = (VersionInline,)
    readonly_fields = ("version", "state")
    change_form_template = "notification_processor/template_editor.html"
    warn_unsaved_form = True
    compressed_fields = False
    seen_as = {"subject": "shown_subject", "body": "shown_body", "html": "shown_html"}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        words = self.seen(request, obj, _words_of(obj))
        if obj is None:
            return [
                (None, {"fields": self.shown(request, ("tenant", "name", "channel", "locale"))}),
                ("Words", {"fields": words}),
            ]
        about = ("tenant", "name", "channel", "locale", "version", "state")
        return [(None, {"fields": words}), ("About", {"fields": self.shown(request, about)})]

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "pane/": ("pane", self.pane),
            "<uuid:template_id>/pane/": ("pane_of", self.pane),
            "<uuid:template_id>/test/": ("test", self.test),
            "<uuid:template_id>/versions/": ("versions", self.versions),
            "<uuid:template_id>/versions/<int:number>/restore/": ("restore", self.restore),
        }
        own = [path(at, self.admin_site.admin_view(view), name=f"{PAGES}_{name}") for at, (name, view) in pages.items()]
        return [*own, *super().get_urls()]

    def pane(self, request: HttpRequest, template_id: uuid.UUID | None = None) -> HttpResponse:
        return template_pane.pane(request, self, template_id)

    def test(self, request: HttpRequest, template_id: uuid.UUID) -> HttpResponse:
        return template_pane.test(request, self, template_id)

    def versions(self, request: HttpRequest, template_id: uuid.UUID) -> HttpResponse:
        return template_versions.compare(request, self, template_id)

    def restore(self, request: HttpRequest, template_id: uuid.UUID, number: int) -> HttpResponse:
        return template_versions.restore(request, self, template_id, number)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        template = kwargs.get("obj")
        told = template_pane.beside(request, self, template)
        page: HttpResponse = super().render_change_form(request, {**context, **told}, *args, **kwargs)
        return closed(page)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Workflows and senders name a template by these."""
        return [*super().get_readonly_fields(request, obj), *(["name", "channel", "locale"] if obj else [])]

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_inline_instances(request, obj) if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.archived_at)

    def save_form(self, request: HttpRequest, form: TemplateForm, change: bool) -> MessageTemplate:
        template: MessageTemplate = super().save_form(request, form, change)
        if not change:
            return templates.create(
                Tenant.objects.get(pk=template.tenant_id),
                name=template.name,
                channel=template.channel,
                locale=template.locale,
                parts=form.parts,
            )
        before = template.current_id
        template = templates.revise(template, form.parts)
        if template.current and template.current_id != before:
            told = f"Version {template.current.number} is in use from now on. What is under way keeps its own."
            self.message_user(request, told, messages.INFO)
        return template

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        """Saved already, by the same services that the API calls."""

    def offers(self, action: str, row: Any) -> bool:
        return row.archived_at is None

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, chosen: QuerySet[MessageTemplate]) -> HttpResponse | None:
        used = list(chosen.filter(archived_at=None))
        if used and not is_confirmed(request):
            question = "Archive these templates? New notifications cannot use them; what was sent keeps its words."
            return confirmation(self, request, used, action="archive", question=question)
        chosen.filter(pk__in=[row.pk for row in used]).update(archived_at=timezone.now())
        for row in used:
            audit.record("template.archived", tenant_id=row.tenant_id, object_id=row.pk, summary=f"{row} archived")
        self.log_each(request, used, "Archived.")
        self.message_user(request, f"{len(used)} archived.", messages.SUCCESS if used else messages.WARNING)
        return None

    @admin.display(description="version", ordering="current__number")
    def version(self, template: MessageTemplate) -> int | None:
        return template.current.number if template.current else None

    @admin.display(description="state")
    def state(self, template: MessageTemplate) -> SafeString:
        return pill("archived" if template.archived_at else "in use")

    @admin.display(description="subject")
    def shown_subject(self, template: MessageTemplate) -> str:
        return template.current.subject if template.current else ""

    @admin.display(description="body")
    def shown_body(self, template: MessageTemplate) -> SafeString:
        return text_block(template.current.body if template.current else "")

    @admin.display(description="HTML")
    def shown_html(self, template: MessageTemplate) -> SafeString:
        return html_frame(template.current.html if template.current else "")
