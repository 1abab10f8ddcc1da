"""A past that never was: finished notifications by the million, made inside PostgreSQL, to see what size costs.

Rows come in order of time, as real ones do. Half of them are of the first tenant, the others of all in turn; two
belong to each event and some 200 to each user; each has what it would have left behind: an attempt, a dead letter, its
counts.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from delivery_gateway import partitions
from delivery_gateway.registry import CHANNELS

CHUNK = 50_000
SHARES = ("email", "email", "email", "webhook", "in_app", "slack")  # of channels

FACTS = """
    SELECT i, md5(i::text || %(seed)s) AS dice,
        (%(first)s + (i - i %% 2) * (%(last)s - %(first)s) / %(total)s)::bigint AS ms,
        (%(tenants)s)[CASE WHEN i / 2 %% 2 = 0 THEN 1 ELSE 1 + i / 4 %% %(tenant_count)s END]::uuid AS tenant_id,
        (%(channels)s)[1 + i %% %(channel_count)s] AS channel,
        (%(lanes)s)[1 + i %% %(channel_count)s] AS lane,
        i * 7919 %% 1000 AS fate
    FROM generate_series(%(start)s::bigint, %(stop)s::bigint) AS i
"""
IDS = """
    SELECT *, to_timestamp(ms / 1000.0) AS at,
        (lpad(to_hex(ms), 12, '0') || '7' || left(dice, 3) || '8' || right(dice, 15))::uuid AS id,
        (lpad(to_hex(ms), 12, '0') || '7000' || '8' || left(md5((i / 2)::text || %(seed)s), 15))::uuid AS event_id,
        CASE WHEN fate < 10 THEN 'failed' WHEN fate < 25 THEN 'suppressed' WHEN fate < 30 THEN 'bounced'
            WHEN fate < 33 THEN 'cancelled' WHEN fate < 35 THEN 'expired' ELSE 'sent' END AS status
    FROM facts
"""
LEDGER = """
    INSERT INTO delivery_gateway_notificationlog (
        id, tenant_id, mode, event_id, event_type, user_id, channel, lane, "to", subject, body, html, template_name,
        category, is_critical, status, reason, detail, error_class, error_code, rank, attempts, ambiguous, crashes,
        fence, routed_at, sent_at, created_at, provider, provider_message_id, provider_response, due_at
    )
    SELECT id, tenant_id, 'live', event_id, 'ORDER_CREATED', 'user-' || i %% %(users)s, channel, lane,
        'user-' || i %% %(users)s || '@example.com', 'Your order A-' || i,
        'Thank you. Order A-' || i || ' is on its way.',
        '', 'order_created', 'orders', false, %(status)s,
        CASE %(status)s WHEN 'suppressed' THEN 'channel_choice' WHEN 'sent' THEN '' ELSE %(status)s END, '',
        CASE %(status)s WHEN 'failed' THEN 'recipient' ELSE '' END,
        CASE %(status)s WHEN 'failed' THEN '550' ELSE '' END,
        ms, CASE WHEN %(status)s IN ('sent', 'failed', 'bounced') THEN 1 ELSE 0 END, 0, 0, 1, at,
        CASE WHEN %(status)s IN ('sent', 'bounced') THEN at END, at, 'smtp', 'm' || i, '250 OK',
        CASE WHEN %(status)s = 'scheduled' THEN at END
    FROM ids
    RETURNING id, tenant_id, mode, channel, status, created_at
"""
ATTEMPTS = """
    INSERT INTO delivery_gateway_attempt (id, number, outcome, code, detail, http_status, duration_ms, started_at,
        notification_id)
    SELECT overlay(id::text placing left(md5(id::text), 12) from 25)::uuid, 1,
        CASE status WHEN 'failed' THEN 'recipient' ELSE 'sent' END, CASE status WHEN 'failed' THEN '550' ELSE '' END,
        '', NULL, 12, created_at, id
    FROM made WHERE status IN ('sent', 'failed', 'bounced')
"""
LETTERS = """
    INSERT INTO delivery_gateway_deadletter (id, tenant_id, notification_id, channel, code, reason, retry_count,
        created_at)
    SELECT overlay(id::text placing right(md5(id::text), 12) from 25)::uuid, tenant_id, id, channel, '550',
        'No such mailbox', 0, created_at
    FROM made WHERE status = 'failed'
"""
COUNTS = """
    INSERT INTO delivery_gateway_deliverycount AS c (tenant_id, day, channel, mode, status, count)
    SELECT tenant_id, (created_at AT TIME ZONE 'UTC')::date, channel, mode, counted, count(*)
    FROM made, LATERAL (VALUES ('accepted'), (status)) AS each (counted)
    WHERE counted NOT IN ('pending', 'queued', 'scheduled')
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (tenant_id, day, channel, mode, status) DO UPDATE SET count = c.count + EXCLUDED.count
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """`status` gives every row that one instead of a mix of final ones: "queued" makes a backlog."""

    rows: int
    tenants: Sequence[uuid.UUID]
    first: datetime
    last: datetime
    status: str = ""
    channels: Sequence[str] = SHARES

    def months(self) -> list[datetime]:
        month, months = partitions.month_of(self.first), []
        while month <= self.last:
            months.append(month)
            month = partitions.month_of(month, later=1)
        return months


def generate(past: Past) -> Iterator[int]:
    """Yields how many rows there are after each chunk, which is committed by then."""
    partitions.create(past.months())
    seed = uuid.uuid4().hex
    for start in range(0, past.rows, CHUNK):
        stop = min(start + CHUNK, past.rows)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_statement(past), _params(past, seed, start, stop - 1))
        yield stop


def _statement(past: Past) -> str:
    ledger = LEDGER.replace("%(status)s", "%(given)s::varchar" if past.status else "status")
    return (
        f"WITH facts AS ({FACTS}), ids AS ({IDS}), made AS ({ledger}), attempts AS ({ATTEMPTS}), letters AS ({LETTERS})"
        f" {COUNTS}"
    )


def _params(past: Past, seed: str, start: int, stop: int) -> dict[str, str | int | list[str]]:
    return {
        "seed": seed,
        "first": int(past.first.timestamp() * 1000),
        "last": int(past.last.timestamp() * 1000),
        "total": past.rows,
        "tenants": [str(tenant) for tenant in past.tenants],
        "tenant_count": len(past.tenants),
        "channels": list(past.channels),
        "lanes": [CHANNELS[channel].lane for channel in past.channels],
        "users": past.rows // 200 + 1,
        "channel_count": len(past.channels),
        "start": start,
        "stop": stop,
        "given": past.status,
    }
