"""Dead letters as CSV or JSON lines, a part at a time: the answer begins at once and no process holds all of it."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from delivery_gateway import answers
from delivery_gateway.models import DeadLetter
from tenants.masking import Reader

PART = 500  # letters a query
COLUMNS = (
    "id", "notification_id", "status", "channel", "to", "code", "reason", "retry_count", "event_id", "user_id",
    "created_at", "replayed_at", "cleared_at", "discarded_at", "discard_reason",
)  # fmt: skip
KINDS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one


def response(letters: QuerySet[DeadLetter], key: Reader, kind: str) -> StreamingHttpResponse:
    """`key` is who reads it: without the scope `pii` addresses are masked."""
    rows = (row_of(letter, key) for letter in _in_parts(letters))
    lines = _csv(rows) if kind == "csv" else (orjson.dumps(row, default=str) + b"\n" for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="dead-letters.{kind}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type=KINDS[kind], headers=headers)


def row_of(letter: DeadLetter, key: Reader) -> dict[str, Any]:
    told = answers.dead_letter(letter, key)
    about = told.pop("notification")
    told |= {"notification_id": about.pop("id")} | about
    return {name: told[name] for name in COLUMNS}


def _in_parts(letters: QuerySet[DeadLetter]) -> Iterator[DeadLetter]:
    """By key, newest first: no cursor is held open in the database while a slow client reads."""
    part = list(letters.order_by("-id")[:PART])
    while part:
        yield from part
        part = list(letters.filter(id__lt=part[-1].id).order_by("-id")[:PART]) if len(part) == PART else []


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line(tuple(_cell(value) for value in row.values()))


def _line(values: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
