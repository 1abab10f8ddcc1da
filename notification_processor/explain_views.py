"""`GET /v1/explain/`: why did this person (not) get it?"""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery_gateway.answers import decisions_of, notification_summary
from delivery_gateway.explaining import summary
from delivery_gateway.models import NotificationLog
from notification_processor import explanation, schemas
from notification_processor.explanation import Explanation
from tenants.authentication import TenantRequest
from tenants.masking import told
from tenants.models import ApiKey
from traffic_control.errors import Problem
from traffic_control.spelling import did_you_mean

PARAMETERS = ("user_id", "event_id", "notification_id")


class ExplainView(APIView):
    """What was decided for one customer about one event."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="explain", tags=["Notifications"], summary="Say why somebody was told, or was not",
        description="By `event_id` and `user_id`, or by `notification_id`; from what was recorded.",
        parameters=schemas.EXPLAIN_PARAMETERS, responses=schemas.Explanation,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        asked = read(request)
        if "notification_id" in asked:
            found = explanation.of_notification(request.tenant.id, as_id(asked, "notification_id"))
        else:
            found = explanation.of_customer(request.tenant.id, as_id(asked, "event_id"), asked["user_id"])
        return Response(answer(found, request.api_key))


def read(request: TenantRequest) -> dict[str, str]:
    """The parameters that are there. Raises Problem when these are not enough, or too many."""
    for name in request.query_params:
        if name not in PARAMETERS:
            raise Problem("unknown_parameter", f'There is no parameter "{name[:40]}". {did_you_mean(name, PARAMETERS)}')
    asked = {name: value for name in PARAMETERS if (value := request.query_params.get(name, ""))}
    if set(asked) not in ({"notification_id"}, {"user_id", "event_id"}):
        got = f"{' and '.join(asked)} came" if asked else "nothing came"
        raise Problem("invalid_filter", f"Name event_id and user_id, or notification_id alone; {got}.")
    return asked


def as_id(asked: dict[str, str], name: str) -> uuid.UUID:
    try:
        return uuid.UUID(asked[name])
    except ValueError as exc:
        raise Problem("invalid_filter", f'{name} "{asked[name][:40]}" is not an id.') from exc


def answer(found: Explanation, key: ApiKey) -> dict[str, Any]:
    event = found.event
    return {
        "summary": told(found.summary, key),
        "user_id": found.user_id or None,
        "event": event and {"id": str(event.id), "event_type": event.event_type, "received_at": event.received_at},
        "notifications": [explained(row, key) for row in found.rows],
        "left_out": [{"channel": hit.channel, "rule": hit.rule, "detail": hit.detail} for hit in found.left_out],
    }


def explained(row: NotificationLog, key: ApiKey) -> dict[str, Any]:
    return notification_summary(row, key) | {
        "summary": told(summary(row), key, about=row.to),
        "decisions": decisions_of(row, key),
        "links": {"self": f"/v1/notifications/{row.id}/"},
    }
