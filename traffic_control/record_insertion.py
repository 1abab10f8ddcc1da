"""Many new rows in one statement that takes all their values as one JSON text: where COPY is not to be had."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connection, models

from traffic_control.insertion import default_of, literal, type_of


def insert_records(model: type[models.Model], columns: Mapping[str, Sequence[Any]], *, may_exist: bool) -> None:
    """As `bulk_insertion.insert_columns`. PostgreSQL only."""
    sql, documents = _statement(model, tuple(columns), may_exist)
    given = [_documents(values) if name in documents else values for name, values in columns.items()]
    text = orjson.dumps([dict(zip(columns, row, strict=True)) for row in zip(*given, strict=True)]).decode()
    with connection.cursor() as cursor:
        cursor.execute(sql, [text])


@cache
def _statement(model: type[models.Model], given: tuple[str, ...], may_exist: bool) -> tuple[str, frozenset[str]]:
    """With the names of those that hold JSON. What is not given gets its default, in the statement's own words."""
    quoted, fields = connection.ops.quote_name, model._meta.concrete_fields
    typed = ", ".join(f"{quoted(f.attname)} {type_of(f)}" for f in fields if f.attname in given)
    values = ", ".join(quoted(f.attname) if f.attname in given else literal(default_of(f)) for f in fields)
    names = ", ".join(quoted(str(field.column)) for field in fields)
    sql = (
        f"INSERT INTO {quoted(model._meta.db_table)} ({names}) "  # noqa: S608 - all of it is ours
        f"SELECT {values} FROM json_to_recordset(%s) AS given({typed})"
    )
    documents = frozenset(field.attname for field in fields if isinstance(field, models.JSONField))
    return sql + (" ON CONFLICT DO NOTHING" if may_exist else ""), documents


def _documents(values: Sequence[Any]) -> list[Any]:
    """What a JSON field holds may be more than orjson writes: integers of any size."""
    return [None if value is None else orjson.Fragment(json.dumps(value)) for value in values]
