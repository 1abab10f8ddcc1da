"""Many rows, one statement: an UPDATE from given values, and a row inserted beside each one updated.

PostgreSQL takes all values as one JSON text: writing that costs a quarter of what as many bound values do, and the
statement is the same for any number of rows. SQLite takes `VALUES`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import orjson
from django.db import connection, models

CHUNK_POSTGRESQL, CHUNK_SQLITE = 1_000, 200  # rows a statement; SQLite allows 32,766 parameters

Model = type[models.Model]
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Update:
    """What is set where. `beside`: another model and those of its columns that are written, its key first."""

    model: Model
    columns: tuple[str, ...]
    match: tuple[str, ...]
    where: str
    increments: str
    beside: tuple[Model, tuple[str, ...]] | None

    @cached_property
    def fields(self) -> list[Any]:
        """Those that a row of values has a value for, in its order."""
        inserted = [self.beside[0]._meta.get_field(name) for name in self.beside[1]] if self.beside else []
        return [self.model._meta.get_field(name) for name in (*self.match, *self.columns)] + inserted

    def update(self, source: str, values: Sequence[str]) -> str:
        """The UPDATE itself, given the expressions for a row's values."""
        matched, width = len(self.match), len(self.match) + len(self.columns)
        pairs = [f"{field.column} = {value}" for field, value in zip(self.fields, values, strict=True)]
        sets = ", ".join([*pairs[matched:width], *filter(None, [self.increments])])
        on = " AND ".join([*(f"t.{pair}" for pair in pairs[:matched]), *filter(None, [self.where])])
        return f"UPDATE {self.model._meta.db_table} AS t SET {sets} FROM {source} WHERE {on} RETURNING id"  # noqa: S608


def update_from_values(
    model: Model,
    columns: Sequence[str],
    rows: Rows,
    *,
    match: Sequence[str] = ("id",),
    where: str = "",
    increments: str = "",
    beside: tuple[Model, tuple[str, ...]] | None = None,
) -> set[Any]:
    """Sets `columns` of the rows whose `match` columns equal the leading values of each row; ids of those updated.

    `rows` hold the match values (the id first), then the column values, then those of `beside`, whose row is inserted
    for what was updated unless its key is None. `where` and `increments` are SQL written by us, never by callers' data:
    an extra condition, and assignments such as `attempts = t.attempts + 1`.
    """
    update = Update(model, tuple(columns), tuple(match), where, increments, beside)
    is_postgres = connection.vendor == "postgresql"
    run, size = (_run_json, CHUNK_POSTGRESQL) if is_postgres else (_run_values, CHUNK_SQLITE)
    updated: set[Any] = set()
    for start in range(0, len(rows), size):
        updated |= run(update, rows[start : start + size])
    return updated


def _run_json(update: Update, rows: Rows) -> set[Any]:
    sql, names, documents = _json_statement(update)
    if documents:
        rows = [[_document(value, documents.get(at)) for at, value in enumerate(row)] for row in rows]
    text = orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()
    with connection.cursor() as cursor:
        cursor.execute(sql, [text])
        return {row[0] for row in cursor.fetchall()}


@lru_cache(maxsize=64)
def _json_statement(update: Update) -> tuple[str, tuple[str, ...], dict[int, Any]]:
    """The SQL, the names of a row's values in the JSON, and the JSON fields among them by position."""
    fields = update.fields
    names = tuple(f"c{number}" for number in range(len(fields)))
    typed = ", ".join(f"{name} {field.db_type(connection)}" for name, field in zip(names, fields, strict=True))
    ctes = [
        f"v AS MATERIALIZED (SELECT * FROM json_to_recordset(%s) AS r({typed}))",  # noqa: S608
        f"u AS ({update.update('v', [f'v.{name}' for name in names])})",
    ]
    if update.beside is not None:
        table, width = update.beside[0]._meta.db_table, len(update.beside[1])
        columns = ", ".join(field.column for field in fields[-width:])
        picked = ", ".join(f"v.{name}" for name in names[-width:])
        inserted = f"SELECT {picked} FROM v JOIN u ON u.id = v.c0 WHERE v.{names[-width]} IS NOT NULL"  # noqa: S608
        ctes.append(f"b AS (INSERT INTO {table} ({columns}) {inserted})")
    documents = {at: field for at, field in enumerate(fields) if isinstance(field, models.JSONField)}
    return f"WITH {', '.join(ctes)} SELECT id FROM u", names, documents  # noqa: S608


def _document(value: Any, field: models.JSONField | None) -> Any:
    """What a JSON field holds may be more than orjson writes: integers of any size, its own types."""
    return value if field is None or value is None else orjson.Fragment(json.dumps(value, cls=field.encoder))


def _run_values(update: Update, rows: Rows) -> set[Any]:
    fields = update.fields[: len(update.match) + len(update.columns)]
    names = [f"c{number}" for number in range(len(fields))]
    values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    updated = update.update("v", [f"v.{name}" for name in names] + [""] * (len(update.fields) - len(fields)))
    with connection.cursor() as cursor:
        sql = f"WITH v({', '.join(names)}) AS (VALUES {values}) {updated}"
        cursor.execute(sql, [_prepared(field, x) for row in rows for field, x in zip(fields, row, strict=False)])
        to_python = update.model._meta.pk.to_python
        ids = {to_python(row[0]) for row in cursor.fetchall()}
        if update.beside is not None:
            _insert(cursor, update.beside, [row[len(fields) :] for row in rows if row[0] in ids])
    return ids


def _insert(cursor: Any, beside: tuple[Model, tuple[str, ...]], rows: Rows) -> None:
    model, names = beside
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns, places = ", ".join(field.column for field in fields), ", ".join(["%s"] * len(fields))
    values = [[_prepared(f, x) for f, x in zip(fields, row, strict=True)] for row in rows if row[0] is not None]
    if values:
        cursor.executemany(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})", values)  # noqa: S608


def _prepared(field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)
