"""Which media type answers a request: nearly always the only one there is."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

JSON = "application/json"
USUAL = frozenset({"*/*", JSON, f"{JSON}, text/plain, */*"})  # the last is what axios asks for


def takes_json(meta: Mapping[str, Any]) -> bool:
    """Whether it is plain, without weighing, that the answer is JSON."""
    return meta.get("HTTP_ACCEPT", "*/*") in USUAL and not meta.get("QUERY_STRING")


class QuickNegotiation(DefaultContentNegotiation):
    """DRF's own, which weighs lists of types against each other only where there is something to weigh."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        if takes_json(request.META) and first.media_type == JSON:
            return first, JSON
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
