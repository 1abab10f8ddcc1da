"""What clients of the notification API's second name may say."""

from typing import Any

from rest_framework import serializers

from event_intake.serializers import CHANNEL_NAMES, TimingSerializer, validated_send
from notification_processor.direct import DirectSend
from traffic_control.serializers import ChannelField


class CustomerSendSerializer(TimingSerializer):
    """One message to one customer: `message` (and `subject`), or a `template` and its `data`."""

    OWN_FIELDS = frozenset({"customer_id", "channels", "message"})

    customer_id = serializers.CharField(max_length=128, help_text="Our id, or the tenant's user_id")
    channels = serializers.ListField(child=ChannelField(channels=CHANNEL_NAMES), allow_empty=False)
    message = serializers.CharField(max_length=65_536, required=False, trim_whitespace=False)
    subject = serializers.CharField(max_length=998, required=False, allow_blank=True)
    template = serializers.CharField(max_length=100, required=False)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # shadows a property
    category = serializers.CharField(max_length=64, required=False)
    critical = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate(attrs)
        if ("message" in attrs) == ("template" in attrs):
            raise serializers.ValidationError({"message": "Send either a message or a template's name."})
        if "template" in attrs and attrs.get("subject"):
            raise serializers.ValidationError({"subject": "A template brings its own subject; leave it out."})
        return attrs

    def to_sends(self, user_id: str) -> list[DirectSend]:
        said = {name: value for name, value in self.validated_data.items() if name not in self.OWN_FIELDS}
        if "message" in self.validated_data:
            said["body"] = self.validated_data["message"]
        channels = dict.fromkeys(self.validated_data["channels"])
        return [validated_send(said | {"channel": channel, "user_id": user_id}) for channel in channels]
