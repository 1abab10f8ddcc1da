"""Many rows, one statement: `UPDATE … FROM (VALUES …)`, on PostgreSQL and SQLite alike."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

CHUNK = 200  # rows a statement; SQLite allows 32,766 parameters


def update_from_values(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    match: Sequence[str] = ("id",),
    where: str = "",
    increments: str = "",
) -> set[Any]:
    """Sets `columns` of the rows whose `match` columns equal the leading values of each row; ids of those updated.

    `rows` hold the match values, then the column values. `where` and `increments` are SQL written by us, never by
    callers' data: an extra condition, and assignments such as `attempts = t.attempts + 1`.
    """
    updated: set[Any] = set()
    for start in range(0, len(rows), CHUNK):
        updated |= _update_chunk(model, columns, rows[start : start + CHUNK], match, where, increments)
    return updated


def _update_chunk(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    match: Sequence[str],
    where: str,
    increments: str,
) -> set[Any]:
    fields: list[Any] = [model._meta.get_field(name) for name in (*match, *columns)]
    names = [f.column for f in fields]
    values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    casts = [
        f"CAST(v.new_{n} AS {f.db_type(connection)})" if connection.vendor == "postgresql" else f"v.new_{n}"
        for n, f in zip(names, fields, strict=True)
    ]
    sets = ", ".join(f"{n} = {c}" for n, c in list(zip(names, casts, strict=True))[len(match) :])
    on = " AND ".join(f"t.{n} = {c}" for n, c in list(zip(names, casts, strict=True))[: len(match)])
    sql = (
        f"WITH v({', '.join(f'new_{n}' for n in names)}) AS (VALUES {values}) "  # noqa: S608 - names come from models, values are bound
        f"UPDATE {model._meta.db_table} AS t SET {sets}{', ' + increments if increments else ''} "
        f"FROM v WHERE {on}{' AND ' + where if where else ''} RETURNING id"
    )
    params = [f.get_db_prep_save(x, connection) for row in rows for f, x in zip(fields, row, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        to_python = model._meta.pk.to_python
        return {to_python(row[0]) for row in cursor.fetchall()}
