"""A table like a ledger's, and how fast rows go into it by COPY."""

import io
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime

import psycopg2

ROWS_AT_A_TIME = 5_000
TABLE = """
    CREATE TABLE bench_row (
        id uuid PRIMARY KEY, tenant int, channel text, address text, template text, body text, status text,
        created_at timestamptz, updated_at timestamptz);
    CREATE INDEX ON bench_row (tenant, created_at DESC, id DESC);
    CREATE INDEX ON bench_row (status, id) WHERE status = 'pending'"""


def prepare(url: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(TABLE)


def copied(url: str, seconds: float) -> float:
    """Rows per second; making the rows in Python is part of it, as it is of any program."""
    rows, began = 0, time.monotonic()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while time.monotonic() - began < seconds:
            cursor.copy_expert("COPY bench_row FROM STDIN", io.StringIO("".join(map(_line, range(ROWS_AT_A_TIME)))))
            rows += ROWS_AT_A_TIME
    return rows / (time.monotonic() - began)


def _line(number: int) -> str:
    now = datetime.now(UTC).isoformat()
    return f"{uuid.uuid4()}\t1\temail\tu{number}@example.com\torder\t{'x' * 250}\tpending\t{now}\t{now}\n"
