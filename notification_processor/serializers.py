"""Templates and workflows as tenants write and read them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from delivery_gateway.registry import CHANNELS
from notification_processor.models import MessageTemplate, Workflow
from traffic_control.serializers import ChannelField, StrictSerializer

CHANNEL_NAMES = tuple(CHANNELS)
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*\Z"
NAME_ERROR: dict[str, Any] = {"invalid": "Use letters, digits and _ . : - only, e.g. welcome_email."}
PATH = r"^[^.\x00-\x1f]+(\.[^.\x00-\x1f]+)*\Z"
MAX_DEDUP_WINDOW = 30 * 24 * 3600  # seconds
LOCALE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"
LOCALE_ERROR: dict[str, Any] = {"invalid": "Use a language tag such as en, pt-BR or zh-Hant."}


class TemplatePartsSerializer(StrictSerializer):
    """The words of a version."""

    subject = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=4_096)
    body = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    html = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)

    def parts(self) -> dict[str, str]:
        return {part: self.validated_data[part] for part in ("subject", "body", "html") if part in self.validated_data}


class TemplateSerializer(TemplatePartsSerializer):
    """A new template."""

    name = serializers.RegexField(NAME, max_length=100, error_messages=NAME_ERROR)
    channel = ChannelField(channels=CHANNEL_NAMES)
    locale = serializers.RegexField(LOCALE, max_length=35, default="en", error_messages=LOCALE_ERROR)


class TemplateRevisionSerializer(TemplatePartsSerializer):
    """A new version. Name, channel and locale may be repeated, but not changed: other rows point at them."""

    name = serializers.CharField(required=False)
    channel = serializers.CharField(required=False)
    locale = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        template: MessageTemplate = self.context["template"]
        for field in ("name", "channel", "locale"):
            if attrs.get(field, getattr(template, field)) != getattr(template, field):
                message = f"It is {getattr(template, field)!r} and cannot change; create another template instead."
                raise serializers.ValidationError({field: message})
        return attrs


def template_answer(template: MessageTemplate) -> dict[str, Any]:
    version = template.current
    assert version is not None  # noqa: S101 - a template is saved with its first version
    return {
        "id": str(template.id),
        "name": template.name,
        "channel": template.channel,
        "locale": template.locale,
        "version": version.number,
        "subject": version.subject,
        "body": version.body,
        "html": version.html or None,
        "is_starter": version.is_starter,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }


class PreviewSerializer(StrictSerializer):
    """What to fill the template with."""

    data = serializers.DictField(required=False, default=dict)  # type: ignore[assignment]  # shadows a property
    user_id = serializers.CharField(max_length=128, required=False)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 5}]})
class DedupKeyField(serializers.ListField):
    """Dotted paths in the payload; one of them may stand alone."""

    child = serializers.RegexField(
        PATH, max_length=200, error_messages={"invalid": 'Write a path in the payload, such as "order.id".'}
    )

    def to_internal_value(self, data: Any) -> list[str]:
        listed = [data] if isinstance(data, str) else data
        return list(dict.fromkeys(super().to_internal_value(listed)))


class WorkflowSerializer(StrictSerializer):
    """What an event type means."""

    event_type = serializers.RegexField(NAME, max_length=128, error_messages=NAME_ERROR)
    channels = serializers.ListField(child=ChannelField(channels=CHANNEL_NAMES), required=False)
    template = serializers.CharField(max_length=100, required=False, allow_blank=True)
    category = serializers.CharField(max_length=64, required=False, allow_blank=True)
    critical = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    quiet_hours = serializers.ChoiceField(
        Workflow.QuietHours.values, required=False, help_text="What becomes of a message for whom it is quiet"
    )
    dedup_key = DedupKeyField(
        required=False, max_length=5, help_text='Payload paths: events with equal values, e.g. of "order.id", are one'
    )
    dedup_window = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_DEDUP_WINDOW, help_text="For how many seconds"
    )

    def fields_of_model(self) -> dict[str, Any]:
        given = dict(self.validated_data)
        if "critical" in given:
            given["is_critical"] = given.pop("critical")
        if "channels" in given:
            given["channels"] = list(dict.fromkeys(given["channels"]))
        return given


def workflow_answer(workflow: Workflow) -> dict[str, Any]:
    return {
        "id": str(workflow.id),
        "event_type": workflow.event_type,
        "channels": workflow.channels,
        "template": workflow.template or None,
        "category": workflow.category or None,
        "critical": workflow.is_critical,
        "is_active": workflow.is_active,
        "is_starter": workflow.is_starter,
        "quiet_hours": workflow.quiet_hours,
        "dedup_key": workflow.dedup_key,
        "dedup_window": workflow.dedup_window,
        "created_at": workflow.created_at,
        "updated_at": workflow.updated_at,
    }
