"""One row, one INSERT, without the ORM's compiler: a third of its CPU, and a condition may be part of the statement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.db import connection, models

from traffic_control.postgresql.prepared import Statement

if TYPE_CHECKING:  # it needs psycopg2
    from traffic_control.postgresql.base import DatabaseWrapper


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
    is_inserted = insert_values(type(row), row.__dict__, only_if=only_if)
    row._state.adding, row._state.db = not is_inserted, connection.alias
    return is_inserted


def insert_values(model: type[models.Model], values: Mapping[str, Any], *, only_if: Guard | None = None) -> bool:
    """As `insert`, by attribute; what is not among `values` gets its default. Costs no model instance."""
    shape = _shape(model, connection.vendor)
    bound = [column.bound(values) for column in shape.columns]
    if only_if is not None:
        bound += only_if.params
    return _run(_statement(shape, only_if.sql if only_if else ""), bound) == 1


def _run(statement: Statement, values: Sequence[Any]) -> int:
    if connection.vendor == "postgresql":
        return cast("DatabaseWrapper", connection).run(statement, values)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, values)
        return int(cursor.rowcount)


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """`prepare` makes a value fit for the driver; None: it is."""

    attribute: str
    default: Any
    prepare: Callable[[Any], Any] | None

    def bound(self, values: Mapping[str, Any]) -> Any:
        value = values.get(self.attribute, self.default)
        return self.prepare(value) if self.prepare else value


@dataclass(frozen=True, eq=False)
class Shape:
    """A table's INSERT, with its columns and their types."""

    sql: str
    types: Sequence[str]
    columns: Sequence[Column]


@cache
def _statement(shape: Shape, condition: str) -> Statement:
    """Conditions are ours, and few."""
    return Statement(f"{shape.sql} WHERE {condition}" if condition else shape.sql, shape.types)


@cache
def _shape(model: type[models.Model], vendor: str) -> Shape:
    fields: list[Any] = list(model._meta.concrete_fields)
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"INSERT INTO {table} ({names}) SELECT {', '.join(['%s'] * len(fields))}"
    columns = [Column(field.attname, _default(field), _preparing(field, vendor)) for field in fields]
    return Shape(sql, [_type(field) for field in fields], columns)


def _default(field: Any) -> Any:
    """A constant. What is made anew for each row has to be given."""
    return None if field.has_default() and callable(field.default) else field.get_default()


def _type(field: Any) -> str:
    """Of a parameter: the column itself sees to lengths."""
    name = str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection))
    return "text" if name.startswith("varchar") else name


def _preparing(field: Any, vendor: str) -> Callable[[Any], Any] | None:
    """PostgreSQL's driver takes what our columns hold, apart from JSON."""
    if vendor == "postgresql" and not isinstance(field, models.JSONField):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
