"""Bodies and answers as the OpenAPI document shows them. Recipients are read by `recipients.read`, not by fields."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from traffic_control.errors import Problem
from traffic_control.faults import object_of, told
from traffic_control.openapi import LIMIT
from traffic_control.serializers import StrictSerializer
from user_preferences import recipients
from user_preferences.customers import RecipientInput

PAGING = [
    LIMIT,
    OpenApiParameter("cursor", str, description="next_cursor of the page before"),
]


class AddressesSerializer(serializers.Serializer[Any]):
    """Where to reach a customer on the channels without a field of their own; null takes an address away."""

    slack = serializers.URLField(required=False, allow_null=True)
    teams = serializers.URLField(required=False, allow_null=True)
    telegram = serializers.CharField(required=False, allow_null=True, help_text="A chat's number, or @channel_name")
    webhook = serializers.URLField(required=False, allow_null=True)


class RecipientSerializer(StrictSerializer):
    """A customer as a tenant describes one."""

    aliases = recipients.ALIASES

    user_id = serializers.CharField(max_length=128, help_text="How your own system names this customer")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    addresses = AddressesSerializer(required=False)
    locale = serializers.CharField(max_length=35, required=False, allow_blank=True, help_text="BCP 47, e.g. pt-BR")
    timezone = serializers.CharField(max_length=64, required=False, allow_blank=True, help_text="IANA name")
    attributes = serializers.DictField(required=False, help_text="Whatever your templates need; at most 16 KB")

    def run_validation(self, data: Any = serializers.empty) -> RecipientInput:
        try:
            return recipients.read(object_of(data))
        except Problem as problem:
            raise serializers.ValidationError(_nested(problem)) from problem

    def to_recipient(self) -> RecipientInput:
        recipient: RecipientInput = self.validated_data
        return recipient


def _nested(problem: Problem) -> dict[str, Any]:
    """A problem's errors as DRF nests them, for a recipient inside a larger body."""
    detail: dict[str, Any] = {}
    for error in problem.errors or []:
        *parents, last = error["pointer"].removeprefix("#").strip("/").split("/")
        place = detail
        for parent in parents:
            place = place.setdefault(parent, {})
        text = told(error | {"pointer": ""})
        place[last or "non_field_errors"] = [serializers.ErrorDetail(text, code=error["code"])]
    return detail


class CustomerPatchSerializer(RecipientSerializer):
    """What changes; null empties a field, addresses and attributes merge key by key."""

    user_id = serializers.CharField(max_length=128, required=False, help_text="May be repeated, not changed")


class CustomerSerializer(RecipientSerializer):
    """A stored customer. Addresses are masked for keys without the scope `pii`."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


CustomerPage = inline_serializer(
    "CustomerPage",
    {
        "data": CustomerSerializer(many=True),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
    },
)
CustomerBatch = inline_serializer(
    "CustomerBatch", {"customers": serializers.ListField(child=RecipientSerializer(), max_length=1_000)}
)
CustomerBatchResult = inline_serializer(
    "CustomerBatchResult",
    {
        "results": inline_serializer(
            "CustomerResult",
            {
                "index": serializers.IntegerField(),
                "status": serializers.ChoiceField(["created", "updated", "rejected"]),
                "id": serializers.UUIDField(required=False),
                "user_id": serializers.CharField(required=False),
                "problem": serializers.DictField(required=False, help_text="Why it was rejected"),
            },
            many=True,
        )
    },
)


class QuietHoursSerializer(serializers.Serializer[Any]):
    """When a customer wants to be left alone. An interval may end on the day after; in-app is never quiet."""

    enabled = serializers.BooleanField(required=False)
    timezone = serializers.CharField(required=False, help_text="IANA; default: the customer's, the tenant's, UTC")
    days = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.CharField())),
        help_text='By mon … sun: [["22:00", "07:00"]]',
    )
    channels = serializers.ListField(child=serializers.CharField(), required=False, help_text="Default: all")


class ChoicesSerializer(serializers.Serializer[Any]):
    """Sparse: what is not named follows the tenant's default, then the system's. `*` stands for every channel."""

    channels = serializers.DictField(child=serializers.BooleanField(allow_null=True), required=False)
    quiet_hours = QuietHoursSerializer(required=False, allow_null=True)
    categories = serializers.DictField(
        child=serializers.DictField(child=serializers.BooleanField(allow_null=True)), required=False
    )


class PreferencesSerializer(ChoicesSerializer):
    user_id = serializers.CharField()
    timezone = serializers.CharField(allow_null=True, help_text="The customer's own")
