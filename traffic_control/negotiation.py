"""Which media type answers a request: nearly always the only one there is."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class QuickNegotiation(DefaultContentNegotiation):
    """DRF's own, which weighs lists of types against each other only where there is something to weigh."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first, meta = next(iter(renderers)), request.META
        if meta.get("HTTP_ACCEPT", "*/*") in ("*/*", first.media_type) and not meta.get("QUERY_STRING"):
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
