"""One row, one INSERT, without the ORM's compiler: a third of its CPU, and a condition may be part of the statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition in SQL, written by us, and the values bound in it."""

    sql: str
    params: Sequence[Any] = ()


UNLESS_TAKEN = Guard("1 = 1 ON CONFLICT DO NOTHING")  # another row has a unique key of this one


def insert(row: models.Model, *, only_if: Guard | None = None) -> bool:
    """Inserts a new row. False, and nothing inserted, when `only_if` does not hold in the same statement.

    Raises what the ORM would. Calls neither `pre_save` nor signals: defaults are the model's constructor's.
    """
    shape = _shape(type(row), connection.vendor)
    values = [prepare(getattr(row, name)) if prepare else getattr(row, name) for name, prepare in shape.columns]
    sql, params = shape.sql, values
    if only_if is not None:
        sql, params = f"{sql} WHERE {only_if.sql}", [*values, *only_if.params]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        is_inserted = bool(cursor.rowcount == 1)
    row._state.adding, row._state.db = not is_inserted, connection.alias
    return is_inserted


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's INSERT, and what makes each attribute fit for the driver (None: it is)."""

    sql: str
    columns: list[tuple[str, Callable[[Any], Any] | None]]


@cache
def _shape(model: type[models.Model], vendor: str) -> Shape:
    fields: list[Any] = list(model._meta.concrete_fields)
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(['%s'] * len(fields))}"
    return Shape(sql, [(field.attname, _preparing(field, vendor)) for field in fields])


def _preparing(field: Any, vendor: str) -> Callable[[Any], Any] | None:
    """PostgreSQL's driver takes what our columns hold, apart from JSON."""
    if vendor == "postgresql" and not isinstance(field, models.JSONField):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
