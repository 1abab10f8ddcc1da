"""One row, one INSERT, without the ORM's compiler: a third of its CPU, and a condition may be part of the statement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from django.db import connection, models

from traffic_control.postgresql.prepared import Statement

if TYPE_CHECKING:  # it needs psycopg2
    from traffic_control.postgresql.base import DatabaseWrapper

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition in SQL, written by us, and the values bound in it."""

    sql: str
    params: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of another table that comes in by the same statement, or neither of the two does. PostgreSQL only.

    `sql` inserts and returns it, with `{condition}` where a guard's belongs; `types` of its parameters.
    """

    sql: str
    types: Sequence[str]
    params: Sequence[Any]


UNLESS_TAKEN = Guard("1 = 1 ON CONFLICT DO NOTHING")  # another row has a unique key of this one


@dataclass(frozen=True, eq=False)
class Insertion:
    """How rows come into a table.

    `kinds`: two or more attributes that a kind of row leaves at their defaults; a row is of the first kind that fits.
    These defaults are words of its statement: not sent, not parsed, not bound. Each connection prepares every
    statement that it meets, so there should be few kinds.
    """

    model: type[models.Model]
    kinds: Sequence[Names] = ()

    def insert_row(self, row: models.Model, *, only_if: Guard | None = None, entry: Entry | None = None) -> bool:
        """Inserts a new row. False, and nothing inserted, when `only_if` does not hold in the same statement.

        Raises what the ORM would. Calls neither `pre_save` nor signals: defaults are the model's constructor's.
        """
        is_inserted = self.insert(row.__dict__, only_if=only_if, entry=entry)
        row._state.adding, row._state.db = not is_inserted, connection.alias
        return is_inserted

    def insert(self, values: Mapping[str, Any], *, only_if: Guard | None = None, entry: Entry | None = None) -> bool:
        """As `insert_row`, by attribute; what is not among `values` gets its default. Costs no model instance.

        False as well when `entry` was there before.
        """
        shape = _shape(self.model, self._left_by(values), tuple(values), connection.vendor)
        condition, params = (only_if.sql, only_if.params) if only_if else ("", ())
        if entry is None:
            return _run(_statement(shape, condition), [*shape.bound(values), *params]) == 1
        statement = _statement_with_entry(shape, condition, entry.sql, tuple(entry.types))
        return _run(statement, [*entry.params, *params, *shape.bound(values)]) == 1

    def _left_by(self, values: Mapping[str, Any]) -> Names:
        for names in self.kinds:
            read, defaults = _defaults(self.model, names)
            if read(values) == defaults:
                return names
        return ()


def _run(statement: Statement, values: Sequence[Any]) -> int:
    if connection.vendor == "postgresql":
        return cast("DatabaseWrapper", connection).run(statement, values)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, values)
        return int(cursor.rowcount)


@dataclass(frozen=True, eq=False)
class Shape:
    """An INSERT, the types of what it binds, and how that is read. `prepare`, by place: what the driver cannot take."""

    sql: str
    types: Sequence[str]
    read: Callable[[Mapping[str, Any]], Sequence[Any]]
    prepare: Sequence[tuple[int, Callable[[Any], Any]]]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        bound = list(self.read(values))
        for place, prepare in self.prepare:
            bound[place] = prepare(bound[place])
        return bound


@cache
def _statement(shape: Shape, condition: str) -> Statement:
    """Conditions are ours, and few."""
    return Statement(f"{shape.sql} WHERE {condition}" if condition else shape.sql, shape.types)


@cache
def _statement_with_entry(shape: Shape, condition: str, entry: str, types: Names) -> Statement:
    """An entry without its row would be there for good: the condition decides about the entry, the entry about us."""
    sql = f"WITH entry AS ({entry.replace('{condition}', condition or 'true')}) {shape.sql} FROM entry"
    return Statement(sql, [*types, *["unknown"] * condition.count("%s"), *shape.types])


@cache
def _shape(model: type[models.Model], left: Names, given: Names, vendor: str) -> Shape:
    fields: list[Any] = list(model._meta.concrete_fields)
    bound = [field for field in fields if field.attname in given and field.attname not in left]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    values = ", ".join("%s" if field in bound else literal(default_of(field)) for field in fields)
    return Shape(
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) SELECT {values}",
        [type_of(field) for field in bound],
        itemgetter(*(field.attname for field in bound)),
        [(place, prepare) for place, field in enumerate(bound) if (prepare := _preparing(field, vendor))],
    )


@cache
def _defaults(model: type[models.Model], names: Names) -> tuple[Callable[[Mapping[str, Any]], Any], Any]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return itemgetter(*names), tuple(default_of(fields[name]) for name in names)


def default_of(field: Any) -> Any:
    """A constant. What is made anew for each row has to be given."""
    return None if field.has_default() and callable(field.default) else field.get_default()


def literal(value: Any) -> str:
    """A default in SQL: one of our own words, a number, true, false or nothing."""
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def type_of(field: Any) -> str:
    """Of a parameter: the column itself sees to lengths."""
    name = str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection))
    return "text" if name.startswith("varchar") else name


def _preparing(field: Any, vendor: str) -> Callable[[Any], Any] | None:
    """PostgreSQL's driver takes what our columns hold, apart from JSON."""
    if vendor == "postgresql" and not isinstance(field, models.JSONField):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
