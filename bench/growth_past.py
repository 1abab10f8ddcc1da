"""What a ledger's past would have left around it, made inside PostgreSQL: people, events, deeds, and what was counted.

Django has to be set up before this is imported.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

# One id each, in order of time over 90 days, that no other of its table has.
IDS = """
    SELECT n, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000' || '8'
        || left(md5(n::text || %(seed)s), 15))::uuid AS id,
        (%(tenants)s::uuid[])[1 + n %% %(tenant_count)s] AS tenant_id
    FROM (SELECT n, now() - interval '90 days' + n * interval '90 days' / %(rows)s AS at
        FROM generate_series(0, %(rows)s - 1) AS n) AS moments
"""
CUSTOMERS = f"""
    INSERT INTO user_preferences_customer
        (id, tenant_id, user_id, name, email, phone, addresses, locale, timezone, attributes, created_at, updated_at)
    SELECT id, tenant_id, 'user-' || n / %(tenant_count)s, 'Person ' || n, 'user-' || n || '@example.com', '', '{{}}',
        'en', 'UTC', '{{}}', at, at
    FROM ({IDS}) AS made
"""
CHOICES = """
    INSERT INTO user_preferences_preference
        (id, tenant_id, customer_id, category, channel, is_enabled, source, updated_at)
    SELECT overlay(id::text placing left(md5(id::text), 12) from 25)::uuid, tenant_id, id, 'offers', 'email', false,
        'api', created_at
    FROM user_preferences_customer WHERE right(id::text, 1) < '4'
"""
EVENTS = f"""
    INSERT INTO notification_processor_event
        (id, tenant_id, mode, event_type, recipients, topic, payload, fingerprint, priority, occurred_at, due_at,
        received_at, state, error, cursor, completed_at)
    SELECT id, tenant_id, 'live', 'ORDER_CREATED', jsonb_build_array('user-' || n), '', '{{"order": 7}}', '', 0, at,
        at, at, 'completed', '', '', at
    FROM ({IDS}) AS made
"""
DEEDS = f"""
    INSERT INTO monitoring_auditentry
        (id, tenant_id, action, actor_kind, actor_id, actor_label, object_kind, object_id, summary, changes, ip,
        request_id, at)
    SELECT id, tenant_id, 'template.changed', 'api_key', '', 'sk_live', 'template', md5(n::text), 'Version ' || n,
        '{{}}', '127.0.0.1', '', at
    FROM ({IDS}) AS made
"""
MINUTES = """
    INSERT INTO delivery_gateway_minutecount (tenant_id, minute, channel, mode, what, detail, count)
    SELECT tenant_id, slot, channel, mode, what, detail, count(*) FROM (
        SELECT l.tenant_id, l.channel, l.mode, minute - minute %% (CASE WHEN age < 180 THEN 1 WHEN age < 3000 THEN 15
            ELSE 120 END) AS slot, what, CASE what WHEN 'sent' THEN (l.rank %% 6)::text WHEN 'failed' THEN l.error_code
            WHEN 'suppressed' THEN l.reason WHEN 'bounced' THEN 'afterwards' ELSE '' END AS detail
        FROM delivery_gateway_notificationlog AS l,
            LATERAL (SELECT floor(extract(epoch FROM l.created_at) / 60)::bigint AS minute,
                floor(extract(epoch FROM now() - l.created_at) / 60) AS age) AS when_,
            LATERAL (VALUES ('accepted'), (l.status)) AS each (what)
        WHERE l.created_at > now() - interval '30 days' AND what NOT IN ('pending', 'queued', 'scheduled')
    ) AS happened GROUP BY 1, 2, 3, 4, 5, 6
"""


def surround(tenants: Sequence[uuid.UUID], *, rows: int) -> None:
    """For a ledger of so many rows: a tenth as many customers and events, a hundredth as many deeds."""
    about: dict[str, Any] = {"tenants": [str(tenant) for tenant in tenants], "tenant_count": len(tenants)}
    about["seed"] = uuid.uuid4().hex
    with transaction.atomic(), connection.cursor() as cursor:
        for statement, share in ((CUSTOMERS, 10), (EVENTS, 10), (DEEDS, 100)):
            cursor.execute(statement, about | {"rows": rows // share})
        cursor.execute(CHOICES)
        cursor.execute(MINUTES, {})
