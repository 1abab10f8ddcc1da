"""The words of one event on its channels: which template version, and its text for each customer."""

from collections.abc import Mapping
from typing import Any

from notification_processor import context, templates
from notification_processor.broadcast import Broadcast
from notification_processor.defaults import ChannelDefaults
from notification_processor.layouts import built_in
from notification_processor.models import Event
from notification_processor.rendering import Rendered, Source, TemplateFault, render
from user_preferences.models import Customer

MANY = 4  # customers of one event from whom on it pays to cut its templates


class Wording:
    """An event's templates, ready to be filled for `people` customers. `sources`: the pinned versions, by id."""

    def __init__(self, event: Event, sources: Mapping[str, Source], *, tenant: ChannelDefaults, people: int) -> None:
        self._versions: Mapping[str, Mapping[str, str]] = versions_of(event)
        self._sources, self._locale, self._are_many = sources, tenant.locale, people >= MANY
        self._context = context.for_event(event, tenant_name=tenant.tenant_name)
        self._broadcasts: dict[str, Broadcast] = {}
        self._asked: dict[tuple[str, str], Source] = {}

    def source(self, channel: str, customer: Customer) -> Source:
        """The built-in layout where the event has no template."""
        wanted = (channel, customer.locale)
        if wanted not in self._asked:
            self._asked[wanted] = self._find(*wanted)
        return self._asked[wanted]

    def render(self, source: Source, customer: Mapping[str, Any]) -> tuple[Source, Rendered]:
        """A starter that the payload does not fill gives way to the built-in layout. Raises TemplateFault."""
        try:
            return source, self._text(source, customer)
        except TemplateFault:
            if not source.is_starter:
                raise
            layout = built_in(source.channel)
            return layout, self._text(layout, customer)

    def _find(self, channel: str, locale: str) -> Source:
        by_locale = self._versions.get(channel)
        if not by_locale:
            return built_in(channel)
        return self._sources[templates.nearest(by_locale, locale, self._locale)]

    def _text(self, source: Source, customer: Mapping[str, Any]) -> Rendered:
        if not self._are_many:
            return render(source, {**self._context, "customer": customer})
        if source.key not in self._broadcasts:
            self._broadcasts[source.key] = Broadcast(source, self._context)
        return self._broadcasts[source.key].render(customer)


def versions_of(event: Event) -> dict[str, dict[str, str]]:
    """Channel → locale → pinned version."""
    versions: dict[str, dict[str, str]] = (event.plan or {}).get("versions", {})
    return versions
