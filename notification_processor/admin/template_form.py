"""The words of a template, typed into a form."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from notification_processor import templates
from notification_processor.models import MessageTemplate
from notification_processor.serializers import CHANNEL_NAMES, LOCALE, LOCALE_ERROR, NAME, NAME_ERROR
from tenants.admin_base import TenantForm
from tenants.admin_forms import SourceField, show_problem
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

    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the version that was opened

    class Meta:
        model = MessageTemplate
        fields = ("tenant", "name", "channel", "locale")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.current:
            based_on = {"based_on": self.instance.current.number}
            self.initial = {**templates.version_parts(self.instance), **based_on, **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._look_for_others(cleaned.get("based_on"))
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

    def _look_for_others(self, based_on: int | None) -> None:
        """Nobody's words are replaced by somebody who has not seen them."""
        current = self.instance.current
        if current and based_on not in (None, current.number):
            told = f"Somebody has published version {current.number} since you opened version {based_on}."
            self.add_error(None, f"{told} Compare them below; to publish yours all the same, publish again.")
            given: Any = self.data
            typed = given.copy()
            typed[self.add_prefix("based_on")] = str(current.number)
            self.data = typed

    @property
    def parts(self) -> dict[str, str]:
        return {part: self.cleaned_data[part] for part in templates.PARTS if part in self.cleaned_data}

    def _exists(self, cleaned: dict[str, Any]) -> bool:
        tenant_id = getattr(cleaned.get("tenant"), "pk", None) or self.instance.tenant_id
        same = {name: cleaned.get(name) for name in ("name", "channel", "locale")}
        return bool(tenant_id) and templates.of_tenant(tenant_id).filter(**same).exists()
