"""Response bodies, written by orjson. Errors keep their own media type."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList


class ProblemAwareJSONRenderer(BaseRenderer):
    """JSON; `Response(content_type=…)` decides between application/json and application/problem+json."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return (
            b""
            if data is None
            else orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
        )


def _plain(value: Any) -> Any:
    if isinstance(value, ReturnDict | dict):
        return dict(value)
    if isinstance(value, ReturnList | list | tuple):
        return list(value)
    if isinstance(value, Decimal | str):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
