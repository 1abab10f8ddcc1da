"""Query parameters of the ledger's lists. An unknown parameter is an error: a misspelt filter must not show all."""

import difflib
import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from delivery_gateway.states import Status
from traffic_control.errors import Problem
from traffic_control.ids import uuid7_at

PAGING = ("limit", "cursor")


def filtered(
    request: Request, rows: QuerySet[Any], *, fields: dict[str, str], also: tuple[str, ...] = ()
) -> QuerySet[Any]:
    """`fields` maps parameters to lookups; `since` and `until` (RFC 3339) are always accepted, `also` is not read."""
    known = (*fields, "since", "until", *PAGING, *also)
    for name in request.query_params:
        if name not in known:
            raise _unknown(name, known)
        if name in fields:
            rows = rows.filter(**{fields[name]: _value(name, request.query_params[name])})
    if since := request.query_params.get("since"):
        rows = rows.filter(id__gte=uuid7_at(_moment("since", since)))
    if until := request.query_params.get("until"):
        rows = rows.filter(id__lt=uuid7_at(_moment("until", until)))
    return rows


def _value(name: str, value: str) -> Any:
    if "\x00" in value:
        raise Problem("invalid_filter", f"{name} has a NUL character.")
    if name == "status" and value not in set(Status):
        raise Problem("invalid_filter", f'status "{value[:40]}" is not one of {", ".join(sorted(Status))}.')
    if name in ("event_id", "replay_id"):
        try:
            return uuid.UUID(value)
        except ValueError as exc:
            raise Problem("invalid_filter", f'{name} "{value[:40]}" is not an id.') from exc
    return value


def _moment(name: str, value: str) -> datetime:
    try:
        moment = parse_datetime(value.replace(" ", "+"))  # an unescaped + arrives as a space
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise Problem("invalid_filter", f'{name} "{value[:40]}" is not a time such as 2026-01-31T08:00:00Z.')
    return moment


def _unknown(name: str, known: tuple[str, ...]) -> Problem:
    meant = difflib.get_close_matches(name, known, n=1)
    hint = f'Did you mean "{meant[0]}"?' if meant else f"Known: {', '.join(known)}."
    return Problem("unknown_parameter", f'There is no parameter "{name[:40]}". {hint}')
