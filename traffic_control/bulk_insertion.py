"""Many new rows at once: COPY on PostgreSQL, at half the price of an INSERT of as many rows; `bulk_create` elsewhere.

Rows come column by column. An object that stands in many rows, as most do when a batch speaks of one event, is
written out once.
"""

import datetime
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from io import StringIO
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import IntegrityError, NotSupportedError, connection, models, transaction

from traffic_control.record_insertion import insert_records

if TYPE_CHECKING:
    from traffic_control.postgresql.base import DatabaseWrapper

WORTH_COPYING = 20  # rows; a few are cheaper by INSERT, which needs no savepoint
NULL = "\\N"
Columns = Mapping[str, Sequence[Any]]


def insert_columns(model: type[models.Model], columns: Columns, *, may_exist: bool = True) -> None:
    """Inserts the rows in the caller's transaction; one whose id exists already is left as it is.

    `columns` are values by field (`tenant_id`, not `tenant`), all of one length. A field that is not among them gets
    its default. Without `may_exist` the caller knows that the ids are new, which saves a savepoint.
    """
    ids = columns["id"]
    if settings.IS_SQLITE or len(ids) < WORTH_COPYING or len(set(ids)) < len(ids):
        _insert(model, columns)
        return
    if not _database().takes_copy():
        insert_records(model, columns, may_exist=may_exist)
        return
    try:
        with transaction.atomic() if may_exist else nullcontext():
            _copy(model, columns)
    except IntegrityError:
        if not may_exist:
            raise
        _insert(model, columns)  # COPY knows no ON CONFLICT
    except NotSupportedError:  # whoever comes again gets it done
        _database().refused_copy()
        raise


def _database() -> "DatabaseWrapper":
    return cast("DatabaseWrapper", connection)


def _insert(model: type[models.Model], columns: Columns) -> None:
    rows = [model(**dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
    model._default_manager.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def _copy(model: type[models.Model], columns: Columns) -> None:
    count, fields = len(columns["id"]), model._meta.concrete_fields
    texts = [_texts(field, columns.get(field.attname) or [field.get_default()] * count) for field in fields]
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(str(field.column)) for field in fields)
    lines = StringIO("\n".join(map("\t".join, zip(*texts, strict=True))))
    statement = f"COPY {quoted(model._meta.db_table)} ({names}) FROM STDIN"

    def copy(sql: str, *_: Any) -> None:
        cursor.copy_expert(sql, lines)

    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor._execute_with_wrappers(statement, None, many=False, executor=copy)  # seen by whoever counts statements


def _texts(field: "models.Field[Any, Any]", values: Sequence[Any]) -> Iterable[str]:
    write, distinct = _text(field), {id(value): value for value in values}
    if len(distinct) * 2 > len(values):
        return map(write, values)
    texts = {known: write(value) for known, value in distinct.items()}
    return [texts[id(value)] for value in values]


def _text(field: "models.Field[Any, Any]") -> Callable[[Any], str]:
    """How a field's value is written in COPY's text format."""
    if isinstance(field, models.JSONField):
        return _json
    target = getattr(field, "target_field", field)
    return next((write for kind, write in WRITERS.items() if isinstance(target, kind)), _plain)


def _plain(value: Any) -> str:
    if value is None:
        return NULL
    text = str(value)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _json(value: Any) -> str:
    return NULL if value is None else _plain(json.dumps(value))


def _uuid(value: uuid.UUID | None) -> str:
    return NULL if value is None else f"{value.int:032x}"


def _moment(value: datetime.datetime | None) -> str:
    return NULL if value is None else value.isoformat()


def _number(value: int | None) -> str:
    return NULL if value is None else str(int(value))


WRITERS: Mapping[type, Callable[[Any], str]] = {
    models.UUIDField: _uuid,
    models.DateTimeField: _moment,
    models.IntegerField: _number,
    models.BooleanField: _number,
}
