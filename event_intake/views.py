"""The door: parse, one call, answer. Everything else happens in the workers."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from delivery_gateway.ledger import NewNotification
from delivery_gateway.selectors import counts_by_status
from event_intake import dry_runs, schemas
from event_intake.acceptance import accept_event, accept_send
from event_intake.dry_runs import DryRunnable
from event_intake.plain_requests import event_of, send_of
from event_intake.receipts import event_detail, item_problem
from event_intake.serializers import (
    EventBatchSerializer,
    EventSerializer,
    NotifyBatchSerializer,
    NotifySerializer,
)
from notification_processor import direct, events
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem, problem_of
from traffic_control.pagination import page_of

T = TypeVar("T")


class EventsView(DryRunnable, Idempotent, APIView):
    """What happened."""

    needs_transaction = False
    scopes = {"GET": "read", "POST": "send"}

    @extend_schema(
        operation_id="events_list", tags=["Events"], summary="List events, newest first",
        parameters=[OpenApiParameter("event_type", str), *schemas.PAGE], responses=schemas.EventPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = events.of_tenant(request.tenant.id)
        if event_type := request.query_params.get("event_type"):
            rows = rows.filter(event_type=event_type)
        return page_of(request, rows, lambda event: event_detail(event, None, request.api_key))

    @extend_schema(
        operation_id="events_create", tags=["Events"], summary="Say what happened",
        parameters=schemas.DRY_RUN, request=EventSerializer,
        responses={202: schemas.EventReceipt, 200: schemas.EventDryRun}, examples=schemas.EVENT_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        event = event_of(request.data)
        if dry_runs.is_dry(request):
            return Response(dry_runs.of_event(request.api_key, event))

        receipt, headers = accept_event(request.api_key, event)

        return Response(receipt, status=HTTP_202_ACCEPTED, headers=headers)


class EventBatchView(Idempotent, APIView):
    """Many events in one call."""

    needs_transaction = False
    scopes = {"POST": "send"}

    @extend_schema(
        operation_id="events_create_batch", tags=["Events"], summary="Say what happened, up to 1,000 times",
        request=schemas.EventBatch, responses={202: schemas.BatchResults},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        dry_runs.refuse(request)
        parsed = [parse_item(event_of, item) for item in EventBatchSerializer.read(request.data)["events"]]
        good = [item for item in parsed if not isinstance(item, Problem)]

        accepted = iter(events.accept(request.tenant, request.api_key.mode, good) if good else [])

        def answer(item: Any) -> dict[str, Any]:
            result = next(accepted)
            if result.problem:
                return rejected(result.problem, request)
            return {"id": str(result.event.id), "status": "duplicate" if result.is_duplicate else "accepted"}

        return batch_response(parsed, answer, request)


class EventDetailView(APIView):
    """One event: how far it is, and what became of its notifications."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="events_retrieve", tags=["Events"], summary="Show one event with counts by status",
        responses=schemas.EventDetail,
    )  # fmt: skip
    def get(self, request: TenantRequest, event_id: uuid.UUID) -> Response:
        event = events.of_tenant(request.tenant.id).filter(id=event_id).first()
        if event is None:
            raise Problem("not_found", f"There is no event {event_id}.", status=404)
        return Response(event_detail(event, counts_by_status(request.tenant.id, event.id), request.api_key))


class NotifyView(DryRunnable, Idempotent, APIView):
    """One message to one recipient."""

    needs_transaction = False
    scopes = {"POST": "send"}

    @extend_schema(
        operation_id="notify", tags=["Notifications"], summary="Send one message",
        parameters=schemas.DRY_RUN, request=NotifySerializer,
        responses={202: schemas.NotificationReceipt, 200: schemas.SendDryRun}, examples=schemas.NOTIFY_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        send = send_of(request.data)
        if dry_runs.is_dry(request):
            return Response(dry_runs.of_sends(request.api_key, [send]))

        receipt, headers = accept_send(request.api_key, send)

        return Response(receipt, status=HTTP_202_ACCEPTED, headers=headers)


class NotifyBatchView(Idempotent, APIView):
    """Many messages in one call."""

    needs_transaction = False
    scopes = {"POST": "send"}

    @extend_schema(
        operation_id="notify_batch", tags=["Notifications"], summary="Send up to 1,000 messages",
        request=schemas.NotifyBatch, responses={202: schemas.BatchResults},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        dry_runs.refuse(request)
        items = NotifyBatchSerializer.read(request.data)["notifications"]
        parsed = [parse_item(send_of, item) for item in items]
        sends = [item for item in parsed if not isinstance(item, Problem)]

        prepared = direct.prepare(request.tenant, request.api_key.mode, sends)
        direct.accept([new for new in prepared if isinstance(new, NewNotification)])
        verdicts = iter(prepared)

        def answer(item: Any) -> dict[str, Any]:
            verdict = next(verdicts)
            if isinstance(verdict, Problem):
                return rejected(verdict, request)
            return {"id": str(verdict.id), "status": "accepted"}

        return batch_response(parsed, answer, request)


def parse_item(read: Callable[[Any], T], item: Any) -> T | Problem:
    """What one item of a batch says, or its problem."""
    try:
        return read(item)
    except ValidationError as exc:
        return problem_of(exc) or Problem("validation_error", str(exc))


def rejected(problem: Problem, request: TenantRequest) -> dict[str, Any]:
    return {"id": None, "status": "rejected", "problem": item_problem(problem, path=request.path)}


def batch_response(parsed: list[Any], answer: Callable[[Any], dict[str, Any]], request: TenantRequest) -> Response:
    """A result per item, in order; 400 only when every one was rejected."""
    results = [
        {"index": index} | (rejected(item, request) if isinstance(item, Problem) else answer(item))
        for index, item in enumerate(parsed)
    ]
    if all(result["status"] == "rejected" for result in results):
        errors = [
            {"pointer": f"#/{r['index']}", "code": r["problem"]["code"], "detail": r["problem"]["detail"]}
            for r in results
        ]
        first = results[0]["problem"]["detail"]
        raise Problem(
            "batch_rejected", f"All {len(results)} items were rejected; the first because: {first}", errors=errors
        )
    return Response({"results": results}, status=HTTP_202_ACCEPTED)
