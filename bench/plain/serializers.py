from rest_framework import serializers


class NotifySerializer(serializers.Serializer):
    channel = serializers.ChoiceField(["email", "webhook", "slack"])
    to = serializers.CharField(max_length=300)
    template = serializers.CharField(max_length=100)
    data = serializers.DictField(default=dict)  # type: ignore[assignment]


class EventSerializer(serializers.Serializer):
    event_type = serializers.CharField(max_length=100)
    user_id = serializers.CharField(max_length=100)
    payload = serializers.DictField(default=dict)
