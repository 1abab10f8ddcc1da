from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import RegexValidator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from notification_processor import rendering, templates
from notification_processor.models import MessageTemplate, TemplateVersion
from notification_processor.serializers import CHANNEL_NAMES, LOCALE, LOCALE_ERROR, NAME, NAME_ERROR
from tenants.admin_actions import confirmation, is_confirmed
from tenants.admin_base import ReadOnly, TenantForm, TenantScoped, TenantScopedAdmin
from tenants.admin_display import html_frame, pill, text_block
from tenants.admin_forms import SourceField, show_problem
from tenants.admin_lists import TenantFilter, is_set, one_of
from tenants.models import Tenant
from traffic_control import audit
from traffic_control.errors import Problem


class TemplateForm(TenantForm):
    """Its words are those of the current version; saving other words makes the next one."""

    name = forms.CharField(max_length=100, validators=[RegexValidator(NAME, NAME_ERROR["invalid"])])
    channel = forms.ChoiceField(choices=[(name, name) for name in CHANNEL_NAMES])
    locale = forms.CharField(max_length=35, initial="en", validators=[RegexValidator(LOCALE, LOCALE_ERROR["invalid"])])
    subject = SourceField(rows=1, label="Subject", max_length=4_096)
    body = SourceField(
        rows=14, label="Body", help_text="Jinja2: {{ customer.name }}, {% if … %}, and the event's payload."
    )
    html = SourceField(
        rows=14, label="HTML", help_text="For email, the HTML part; for Telegram, the markup. May stay empty."
    )

    class Meta:
        model = MessageTemplate
        fields = ("tenant", "name", "channel", "locale")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.current:
            self.initial = {**templates.version_parts(self.instance), **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            if self.parts.keys() == set(templates.PARTS):
                owner = getattr(cleaned.get("tenant"), "pk", None) or self.instance.tenant_id
                templates.check_parts(cleaned.get("channel") or self.instance.channel, self.parts, owner=owner)
        except Problem as problem:
            show_problem(self, problem)
        if self.instance._state.adding and self._exists(cleaned):
            self.add_error(
                "name", "There is a template of this name for this channel and locale already: edit that one."
            )
        return cleaned

    @property
    def parts(self) -> dict[str, str]:
        return {part: self.cleaned_data[part] for part in templates.PARTS if part in self.cleaned_data}

    def _exists(self, cleaned: dict[str, Any]) -> bool:
        tenant_id = getattr(cleaned.get("tenant"), "pk", None) or self.instance.tenant_id
        same = {name: cleaned.get(name) for name in ("name", "channel", "locale")}
        return bool(tenant_id) and templates.of_tenant(tenant_id).filter(**same).exists()


class VersionInline(ReadOnly, TenantScoped, TabularInline):
    """Versions never change: what was sent can always be explained."""

    model = TemplateVersion
    tenant_path = "template__tenant"
    classes = ("bare",)
    verbose_name_plural = "Versions"
    hide_title = True
    fields = readonly_fields = ("number", "shown_subject", "words", "created_at")
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
    readonly_fields = ("version", "state", "variables")
    seen_as = {"subject": "shown_subject", "body": "shown_body", "html": "shown_html"}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        words = self.seen(request, obj, templates.PARTS)
        if obj is None:
            return [
                (None, {"fields": self.shown(request, ("tenant", "name", "channel", "locale"))}),
                ("Words", {"fields": words}),
            ]
        about = ("tenant", "name", "channel", "locale", "version", "variables", "state")
        return [(None, {"fields": self.shown(request, about)}), ("Words", {"fields": words})]

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

    @admin.display(description="reads the variables")
    def variables(self, template: MessageTemplate) -> str:
        try:
            names = rendering.check(templates.source_of(template), owner=str(template.tenant_id))
        except (rendering.TemplateFault, Problem) as exc:
            return str(exc)
        return ", ".join(sorted(names)) or "none"

    @admin.display(description="subject")
    def shown_subject(self, template: MessageTemplate) -> str:
        return template.current.subject if template.current else ""

    @admin.display(description="body")
    def shown_body(self, template: MessageTemplate) -> SafeString:
        return text_block(template.current.body if template.current else "")

    @admin.display(description="HTML")
    def shown_html(self, template: MessageTemplate) -> SafeString:
        return html_frame(template.current.html if template.current else "")
