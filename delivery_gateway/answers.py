"""Ledger rows as tenants see them."""

from typing import Any

from delivery_gateway import digests, explaining
from delivery_gateway.models import DeadLetter, NotificationLog, SandboxMessage
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.selectors import shown_address, timeline_of
from delivery_gateway.states import Status
from tenants.masking import Reader, masked_fields, told
from tenants.models import ApiKey


def notification_summary(row: NotificationLog, key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "status": row.status,
        "mode": row.mode,
        "channel": row.channel,
        "to": shown_address(row, key),
        "subject": row.subject,
        "event_id": row.event_id,
        "event_type": row.event_type or None,
        "user_id": row.user_id or None,
        "template": row.template_name or None,
        "template_version": row.template_version,
        "reason": row.reason or None,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "sent_at": row.sent_at,
        "created_at": row.created_at,
        "error": error_of(row, key),
    }


def notification_detail(row: NotificationLog, key: ApiKey) -> dict[str, Any]:
    went_to = digests.digest_id(row)
    return notification_summary(row, key) | {
        "body": row.body,
        "html": row.html or None,
        "category": row.category or None,
        "critical": row.is_critical,
        "detail": told(row.detail, key, about=row.to) or None,
        "decisions": decisions_of(row, key),
        "summary": told(explaining.summary(row), key, about=row.to),
        "ambiguous": row.ambiguous,
        "expires_at": row.expires_at,
        "provider": row.provider or None,
        "provider_message_id": (row.provider_message_id or None) if went_to is None else None,
        "digest_id": went_to,
        "digest": digests.contents(row),
        "provider_response": told(row.provider_response, key, about=row.to) or None,
        "timeline": [step | {"detail": told(step["detail"], key, about=row.to)} for step in timeline_of(row)],
    }


def decisions_of(row: NotificationLog, key: ApiKey) -> list[dict[str, Any]]:
    return [
        {
            "rule": hit.rule,
            "outcome": hit.outcome,
            "detail": told(hit.detail, key, about=row.to) if hit.detail else hit.detail,
            "until": hit.until,
        }
        for hit in explaining.hits(row)
    ]


def error_of(row: NotificationLog, key: ApiKey) -> dict[str, str] | None:
    if not row.error_code:
        return None
    return {"class": row.error_class, "code": row.error_code, "detail": told(row.detail, key, about=row.to)}


def dead_letter(letter: DeadLetter, key: Reader) -> dict[str, Any]:
    row = letter.notification
    return {
        "id": str(letter.id),
        "notification": {
            "id": str(row.id),
            "status": row.status,
            "to": shown_address(row, key),
            "event_id": row.event_id,
            "user_id": row.user_id or None,
        },
        "channel": letter.channel,
        "reason": told(letter.reason, key, about=row.to),
        "code": letter.code,
        "retry_count": letter.retry_count,
        "created_at": letter.created_at,
        "replayed_at": letter.replayed_at,
        "cleared_at": letter.cleared_at,
        "discarded_at": letter.discarded_at,
        "discard_reason": letter.discard_reason or None,
        "is_resolved": row.status in (Status.SENT, Status.DELIVERED),
    }


def sandbox_message(message: SandboxMessage, key: ApiKey) -> dict[str, Any]:
    body = {
        "id": str(message.id),
        "channel": message.channel,
        "to": message.to,
        "subject": message.subject,
        "body": message.body,
        "html": message.html or None,
        "payload": message.payload,
        "event_id": message.event_id,
        "event_type": message.event_type or None,
        "user_id": message.user_id or None,
        "created_at": message.created_at,
    }
    return body if "pii" in key.scopes else masked_fields(body)


def replay_job(job: ReplayJob, outcomes: dict[str, int] | None = None) -> dict[str, Any]:
    """`outcomes` is None in lists."""
    shown = {
        "id": str(job.id),
        "state": job.state,
        "total": job.total,
        "replayed": job.replayed,
        "rate": job.rate,
        "filters": job.chosen,
        "started_by": job.started_by or None,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "links": {"self": f"/v1/dead-letters/replays/{job.id}/"},
    }
    return shown if outcomes is None else shown | {"outcomes": outcomes}
