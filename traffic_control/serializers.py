"""Serializers that refuse what they do not know: a misspelt field is an error, not a silent default."""

import difflib
from functools import cache
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields with a did-you-mean. `aliases` maps other accepted spellings to a field's name."""

    aliases: dict[str, str] = {}

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The validated data. Raises ValidationError. DRF copies every field for every instance; this does not."""
        validated: dict[str, Any] = _prototype(cls).run_validation(data)
        return validated

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            data = self._without_aliases(data)
            if unknown := data.keys() - self.fields.keys():
                raise serializers.ValidationError({name: [self._unknown(name)] for name in sorted(map(str, unknown))})
        return super().to_internal_value(data)

    def _without_aliases(self, data: dict[str, Any]) -> dict[str, Any]:
        if not self.aliases.keys() & data.keys():
            return data
        clashes = [f"{a} and {f}" for a, f in self.aliases.items() if a in data and f in data]
        if clashes:
            raise serializers.ValidationError(f"{clashes[0]} are the same field; send one of them.")
        return {self.aliases.get(name, name): value for name, value in data.items()}

    def _unknown(self, name: str) -> serializers.ErrorDetail:
        meant = difflib.get_close_matches(name, [*self.fields, *self.aliases], n=1)
        hint = f' Did you mean "{meant[0]}"?' if meant else f" Known: {', '.join(sorted(self.fields))}."
        return serializers.ErrorDetail(f'There is no field "{name}".{hint}', code="unknown_field")


@cache
def _prototype(kind: type[StrictSerializer]) -> StrictSerializer:
    """Validation keeps nothing on the instance, so one serves all requests and threads."""
    prototype = kind()
    _ = prototype.fields  # built here, once
    return prototype


class ChannelField(serializers.CharField):
    """One of the channels this install has."""

    def __init__(self, *, channels: tuple[str, ...], **options: Any) -> None:
        super().__init__(max_length=20, **options)
        self.channels = channels

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if value not in self.channels:
            meant = difflib.get_close_matches(value, self.channels, n=1)
            hint = f'Did you mean "{meant[0]}"?' if meant else f"Channels: {', '.join(self.channels)}."
            raise serializers.ValidationError(f'There is no channel "{value}". {hint}', code="unknown_channel")
        return value
