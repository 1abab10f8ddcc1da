"""The words of one event on its channels: which template version, and its text for each customer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from notification_processor import context, templates
from notification_processor.defaults import ChannelDefaults
from notification_processor.layouts import built_in
from notification_processor.models import Event
from notification_processor.renderer_jobs import Effort
from notification_processor.rendering import Order, Rendered, Source, TemplateFault, render_many
from user_preferences.models import Customer


class Wording:
    """An event's templates, ready to be filled for its customers. `sources`: the pinned versions, by id."""

    def __init__(self, event: Event, sources: Mapping[str, Source], *, tenant: ChannelDefaults) -> None:
        self._versions: Mapping[str, Mapping[str, str]] = versions_of(event)
        self._sources, self._locale, self._owner = sources, tenant.locale, str(event.tenant_id)
        self._context = context.for_event(event, tenant_name=tenant.tenant_name)
        self._asked: dict[tuple[str, str], Source] = {}

    def source(self, channel: str, customer: Customer) -> Source:
        """The built-in layout where the event has no template."""
        wanted = (channel, customer.locale)
        if wanted not in self._asked:
            self._asked[wanted] = self._find(*wanted)
        return self._asked[wanted]

    def order(self, source: Source, customer: Mapping[str, Any]) -> Order:
        return Order(source, self._context, customer, self._owner)

    def _find(self, channel: str, locale: str) -> Source:
        by_locale = self._versions.get(channel)
        if not by_locale:
            return built_in(channel)
        return self._sources[templates.nearest(by_locale, locale, self._locale)]


def texts(orders: Sequence[Order], effort: Effort) -> list[tuple[Source, Rendered | TemplateFault]]:
    """In the order of the orders. A starter that the payload does not fill gives way to the built-in layout."""
    made = [(order.source, text) for order, text in zip(orders, render_many(orders, effort=effort), strict=True)]
    unfit = [n for n, (source, text) in enumerate(made) if source.is_starter and isinstance(text, TemplateFault)]
    if unfit:
        second = [replace(orders[n], source=built_in(orders[n].source.channel)) for n in unfit]
        for n, order, text in zip(unfit, second, render_many(second, effort=effort), strict=True):
            made[n] = order.source, text
    return made


def versions_of(event: Event) -> dict[str, dict[str, str]]:
    """Channel → locale → pinned version."""
    versions: dict[str, dict[str, str]] = (event.plan or {}).get("versions", {})
    return versions
