"""Bodies of the tenants API, and the shapes of its answers for the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema_field, inline_serializer
from rest_framework import serializers

from tenants import scopes, syntax
from tenants.models import ApiKey
from tenants.providers import CHANNELS, PROVIDERS
from traffic_control.openapi import LIMIT
from traffic_control.serializers import ChannelField, StrictSerializer
from traffic_control.spelling import did_you_mean

PAGING = [
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]
LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"


class CheckedField(serializers.CharField):
    """A text judged by one of the checks in `tenants.syntax`."""

    def __init__(self, check: Callable[[Any], str], **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def to_internal_value(self, data: Any) -> str:
        try:
            value = self.check(data)
        except ValueError as exc:
            raise serializers.ValidationError(str(exc)) from exc
        if not value:
            self.fail("blank")
        return value


class TimeZone(serializers.CharField):
    """An IANA name, or nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return syntax.time_zone(data) if data else ""
        except ValueError as exc:
            raise serializers.ValidationError(str(exc)) from exc


def name_field(**options: Any) -> CheckedField:
    return CheckedField(lambda value: syntax.text(value, max_length=100), max_length=100, **options)


def email_field(**options: Any) -> CheckedField:
    return CheckedField(syntax.email, max_length=254, **options)


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["boolean", "null"]}})
class ChannelSwitches(serializers.Field):
    """Channel → on or off; null goes back to the system's default."""

    def to_internal_value(self, data: Any) -> dict[str, bool | None]:
        if not isinstance(data, dict):
            raise serializers.ValidationError('It must be an object like {"slack": false}.')
        if wrong := {name: [fault] for name, is_on in data.items() if (fault := self._fault(name, is_on))}:
            raise serializers.ValidationError(wrong)
        return data

    def to_representation(self, value: Any) -> Any:
        return value

    @staticmethod
    def _fault(name: str, is_on: Any) -> str:
        if name not in CHANNELS:
            return f'There is no channel "{name}". {did_you_mean(name, CHANNELS)}'
        return "" if is_on is None or isinstance(is_on, bool) else f"{syntax.quoted(is_on)} is not true, false or null."


class RegisterSerializer(StrictSerializer):
    """A new tenant."""

    name = name_field(error_messages={"required": "It is required: what this tenant is called."})
    email = email_field(error_messages={"required": "It is required: whom to write to about this tenant."})


class TenantPatchSerializer(StrictSerializer):
    """What a tenant may change of itself."""

    name = name_field(required=False)
    email = email_field(required=False)
    channel_defaults = ChannelSwitches(required=False)
    default_locale = serializers.RegexField(
        LANGUAGE_TAG, max_length=35, required=False, allow_blank=True, help_text="Empty goes back to en",
        error_messages={"invalid": "Use a language tag such as en, pt-BR or zh-Hant."},
    )  # fmt: skip
    timezone = TimeZone(required=False, help_text="Of customers without one; empty goes back to UTC")
    content_days = serializers.IntegerField(
        min_value=1, max_value=3_650, required=False, allow_null=True,
        help_text="Days that addresses and texts are kept, at most as many as this install keeps them; null for those",
    )  # fmt: skip
    inbox_origins = serializers.ListField(
        child=CheckedField(syntax.origin, max_length=260), required=False, max_length=50,
        help_text="Origins whose pages may ask for their users' inboxes, e.g. https://shop.example",
    )  # fmt: skip


class NewKeySerializer(StrictSerializer):
    """An API key to be made. Its scopes default to those of a key that only sends and looks up."""

    name = name_field()
    mode = serializers.ChoiceField(ApiKey.Mode.values, required=False, help_text="Default: that of the calling key")
    scopes = serializers.ListField(child=serializers.CharField(), required=False, allow_empty=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_scopes(self, value: list[str]) -> list[str]:
        for scope in value:
            if scope not in scopes.SCOPES:
                raise serializers.ValidationError(f'There is no scope "{scope}". {did_you_mean(scope, scopes.ALL)}')
        return scopes.in_order(value)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(f"{value.isoformat()} is in the past.")
        return value


class IntegrationSerializer(StrictSerializer):
    """A tenant's own credentials for a channel."""

    channel = ChannelField(channels=tuple(PROVIDERS))
    provider = serializers.CharField(max_length=40, required=False, help_text="Default: the channel's first")
    name = name_field(required=False)
    config = serializers.DictField(required=False, help_text="The provider's fields; secrets are write-only")
    is_default = serializers.BooleanField(default=True)


class IntegrationPatchSerializer(StrictSerializer):
    """What changes; any change resumes a paused integration. In config, null takes a value away."""

    name = name_field(required=False)
    config = serializers.DictField(required=False)
    is_default = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)


def _time(**options: Any) -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True, **options)


def _page(name: str, item: Any) -> serializers.Serializer[Any]:
    return inline_serializer(
        name,
        {
            "data": serializers.ListField(child=item),
            "has_more": serializers.BooleanField(),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )


TENANT: dict[str, serializers.Field] = {
    "id": serializers.UUIDField(),
    "name": serializers.CharField(),
    "slug": serializers.CharField(),
    "is_active": serializers.BooleanField(),
    "created_at": serializers.DateTimeField(),
}
Registered = inline_serializer(
    "Registered",
    {
        "tenant": inline_serializer("Tenant", TENANT),
        "api_key": serializers.CharField(help_text="Shown here only"),
        "test_api_key": serializers.CharField(help_text="Shown here only"),
        "webhook_secret": serializers.CharField(help_text="Shown here only; signs what the channel webhook sends"),
    },
)
Me = inline_serializer(
    "Me",
    TENANT
    | {
        "email": serializers.CharField(),
        "channel_defaults": serializers.DictField(child=serializers.BooleanField()),
        "default_locale": serializers.CharField(allow_null=True),
        "timezone": serializers.CharField(allow_null=True),
        "content_days": serializers.IntegerField(
            allow_null=True, help_text="Days that addresses and texts are kept; null: for ever"
        ),
        "inbox_origins": serializers.ListField(child=serializers.CharField()),
        "api_key": serializers.DictField(help_text="The calling key: id, name, mode, scopes"),
        "limits": serializers.DictField(),
        "usage": serializers.DictField(child=serializers.IntegerField()),
    },
)
KEY: dict[str, serializers.Field] = {
    "id": serializers.UUIDField(),
    "name": serializers.CharField(),
    "mode": serializers.ChoiceField(ApiKey.Mode.values),
    "prefix": serializers.CharField(help_text="sk_live_ and the public id"),
    "last_four": serializers.CharField(),
    "scopes": serializers.ListField(child=serializers.CharField()),
    "expires_at": _time(),
    "revoked_at": _time(),
    "last_used_at": _time(help_text="To the minute"),
    "created_at": serializers.DateTimeField(),
}
Key = inline_serializer("ApiKey", KEY)
KeyPage = _page("ApiKeyPage", Key)
NewKey = inline_serializer("NewApiKey", KEY | {"api_key": serializers.CharField(help_text="Shown here only")})
INTEGRATION: dict[str, serializers.Field] = {
    "id": serializers.UUIDField(),
    "channel": serializers.CharField(),
    "provider": serializers.CharField(),
    "name": serializers.CharField(),
    "config": serializers.DictField(help_text="Without its secrets"),
    "secrets": serializers.DictField(child=serializers.CharField(), help_text="The last four characters of each"),
    "callback_url": serializers.CharField(allow_null=True, help_text="Once there is a callback_secret"),
    "is_default": serializers.BooleanField(),
    "is_active": serializers.BooleanField(),
    "paused_at": _time(),
    "paused_reason": serializers.CharField(allow_null=True),
    "created_at": serializers.DateTimeField(),
    "updated_at": serializers.DateTimeField(),
}
Integration = inline_serializer("Integration", INTEGRATION)
IntegrationPage = _page("IntegrationPage", Integration)
NewIntegration = inline_serializer(
    "NewIntegration",
    INTEGRATION | {"secret": serializers.CharField(required=False, help_text="A signing secret made here; shown once")},
)
INBOX_SECRET: dict[str, serializers.Field] = {
    "kid": serializers.CharField(help_text="Goes into the header of the tokens that it signs"),
    "last_four": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
}
InboxSecret = inline_serializer("InboxSecret", INBOX_SECRET)
InboxSecretPage = _page("InboxSecretPage", InboxSecret)
NewInboxSecret = inline_serializer(
    "NewInboxSecret", INBOX_SECRET | {"secret": serializers.CharField(help_text="Shown here only")}
)
