"""Newest first, by key: `?limit=` and `?cursor=`, a `Link` header, and no totals (they cost a scan)."""

import uuid
from typing import Any

from django.core import signing
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from traffic_control.errors import Problem

DEFAULT_LIMIT, MAX_LIMIT = 50, 200


def page_of(request: Request, rows: QuerySet[Any], shape: Any) -> Response:
    """Answers one page of `rows` (keyed by UUIDv7), each drawn by `shape(row)`; `shape` may be a serializer class."""
    limit = limit_of(request)
    if after := request.query_params.get("cursor"):
        rows = rows.filter(pk__lt=read_cursor(request, after))
    found = list(rows.order_by("-pk")[: limit + 1])
    page, has_more = found[:limit], len(found) > limit
    cursor = write_cursor(request, page[-1]) if has_more else None
    draw = (lambda row: shape(row).data) if isinstance(shape, type) else shape
    body = {"data": [draw(row) for row in page], "has_more": has_more, "next_cursor": cursor}
    return Response(body, headers=_link(request, cursor) if cursor else None)


def limit_of(request: Request) -> int:
    given = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= MAX_LIMIT):
        raise Problem("invalid_limit", f'limit "{given[:40]}" is not a number from 1 to {MAX_LIMIT}.')
    return int(given)


def write_cursor(request: Request, last: Model) -> str:
    return signing.dumps(last.pk.hex, salt=_salt(request))


def read_cursor(request: Request, cursor: str) -> uuid.UUID:
    """Signed, and bound to tenant and list: another tenant's cursor is as good as none."""
    try:
        return uuid.UUID(signing.loads(cursor, salt=_salt(request)))
    except (signing.BadSignature, ValueError) as exc:
        raise Problem("invalid_cursor", "This cursor is not from this list. Start again without ?cursor=.") from exc


def _salt(request: Any) -> str:
    return f"cursor:{request.tenant.id}:{request.path}"


def _link(request: Request, cursor: str) -> dict[str, str]:
    query = request.query_params.copy()
    query["cursor"] = cursor
    return {"Link": f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'}
