"""The ledger over HTTP: notifications, dead letters, and what the sandbox caught."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from delivery_gateway import answers, dead_letters, schemas, selectors, stopping
from delivery_gateway.filters import filtered
from delivery_gateway.models import DeadLetter, NotificationLog
from delivery_gateway.replays import FILTERS, Choice
from delivery_gateway.states import IllegalTransition
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem
from traffic_control.pagination import page_of
from traffic_control.serializers import StrictSerializer

NOTIFICATION_FILTERS = {
    "status": "status",
    "channel": "channel",
    "user_id": "user_id",
    "event_id": "event_id",
    "template": "template_name",
    "mode": "mode",
}
LETTER_FILTERS = {
    "channel": "channel",
    "code": "code",
    "event_id": "notification__event_id",
    "replay_id": "replay_job_id",
}


STATES: dict[str, Callable[[QuerySet[DeadLetter]], QuerySet[DeadLetter]]] = {
    "waiting": selectors.waiting,
    "replayed": lambda letters: letters.exclude(replayed_at=None),
    "discarded": lambda letters: letters.exclude(discarded_at=None),
}


class NotificationsView(APIView):
    """The tenant's notifications."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="notifications_list", tags=["Notifications"], summary="List notifications, newest first",
        parameters=schemas.NOTIFICATION_PARAMETERS, responses=schemas.NotificationPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = filtered(request, selectors.notifications_of(request.tenant.id), fields=NOTIFICATION_FILTERS)
        return page_of(request, rows, lambda row: answers.notification_summary(row, request.api_key))


class NotificationView(APIView):
    """One notification with its whole story."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="notifications_retrieve", tags=["Notifications"], summary="Show one notification and its timeline",
        responses=schemas.NotificationDetail,
    )  # fmt: skip
    def get(self, request: TenantRequest, notification_id: uuid.UUID) -> Response:
        row = notification_or_404(request, notification_id)
        return Response(answers.notification_detail(row, request.api_key))


class CancelView(Idempotent, APIView):
    """Stops what is not yet being sent."""

    scopes = {"POST": "send"}

    @extend_schema(
        operation_id="notifications_cancel", tags=["Notifications"], summary="Cancel a notification not yet sent",
        request=None, responses=schemas.NotificationDetail,
    )  # fmt: skip
    def post(self, request: TenantRequest, notification_id: uuid.UUID) -> Response:
        notification_or_404(request, notification_id)
        try:
            stopping.cancel(selectors.notifications_of(request.tenant.id), notification_id)
        except IllegalTransition as exc:
            raise Problem("not_cancellable", str(exc), status=409) from exc
        row = notification_or_404(request, notification_id)
        return Response(answers.notification_detail(row, request.api_key))


class DeadLettersView(APIView):
    """What failed for good."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="dead_letters_list", tags=["Dead letters"], summary="List dead letters, or count them by cause",
        parameters=schemas.LETTER_PARAMETERS, responses=schemas.DeadLetterPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        letters = selectors.dead_letters_of(request.tenant.id)
        group_by = request.query_params.get("group_by")
        if group_by not in (None, "cause"):
            raise Problem("invalid_filter", f'group_by "{group_by[:40]}" is not "cause".')
        letters = letters_of_state(
            request, filtered(request, letters, fields=LETTER_FILTERS, also=("group_by", "state"))
        )
        if group_by:
            causes = selectors.by_cause(letters, request.api_key)
            return Response({"data": causes, "has_more": False, "next_cursor": None})
        return page_of(request, letters, lambda letter: answers.dead_letter(letter, request.api_key))


class DeadLetterView(APIView):
    """One dead letter."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="dead_letters_retrieve", tags=["Dead letters"], summary="Show one dead letter",
        responses=schemas.DeadLetterDetail,
    )  # fmt: skip
    def get(self, request: TenantRequest, letter_id: uuid.UUID) -> Response:
        letter = letter_or_404(request, letter_id)
        return Response(answers.dead_letter(letter, request.api_key))


class ReplayOneView(Idempotent, APIView):
    """Sends one dead letter's notification again."""

    scopes = {"POST": "replay"}

    @extend_schema(
        operation_id="dead_letters_replay", tags=["Dead letters"], summary="Send one dead letter again",
        request=None, responses={202: schemas.DeadLetterDetail},
    )  # fmt: skip
    def post(self, request: TenantRequest, letter_id: uuid.UUID) -> Response:
        letter = letter_or_404(request, letter_id)
        if letter.cleared_at:
            raise Problem("content_cleared", "Its address and text were cleared: there is nothing to send.", status=409)
        if letter.discarded_at:
            raise Problem("discarded", f"This letter was discarded: {letter.discard_reason}", status=409)
        if not dead_letters.replay(selectors.dead_letters_of(request.tenant.id).filter(id=letter.id)):
            detail = f"This letter was replayed already; its notification is {letter.notification.status}."
            raise Problem("already_replayed", detail, status=409)
        letter = letter_or_404(request, letter_id)
        answer = answers.dead_letter(letter, request.api_key)
        return Response(answer, status=HTTP_202_ACCEPTED)


class ReplayManyView(Idempotent, APIView):
    """Sends dead letters again by filter; counts them first with `dry_run`."""

    scopes = {"POST": "replay"}

    @extend_schema(
        operation_id="dead_letters_replay_many", tags=["Dead letters"], summary="Send dead letters again, by filter",
        request=schemas.ReplaySerializer, responses={200: schemas.ReplayCount, 202: schemas.ReplayCount},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = schemas.ReplaySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        letters = replayable(request, body)
        if body.validated_data["dry_run"]:
            return Response({"count": selectors.number_of(letters), "replayed": 0})
        replayed = dead_letters.replay(letters)
        return Response(
            {"count": replayed + selectors.number_of(letters), "replayed": replayed}, status=HTTP_202_ACCEPTED
        )


def replayable(request: TenantRequest, body: StrictSerializer) -> Any:
    return chosen(request, body).letters()


def chosen(request: TenantRequest, body: StrictSerializer) -> Choice:
    """What a body chooses among the tenant's letters."""
    return Choice(
        request.tenant.id, {name: body.validated_data[name] for name in FILTERS if body.validated_data.get(name)}
    )


def letters_of_state(request: TenantRequest, letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    """Raises Problem `invalid_filter`."""
    state = request.query_params.get("state")
    if state is None:
        return letters
    if state not in STATES:
        raise Problem("invalid_filter", f'state "{state[:40]}" is not one of {", ".join(STATES)}.')
    return STATES[state](letters)


def notification_or_404(request: TenantRequest, notification_id: uuid.UUID) -> NotificationLog:
    row = selectors.notifications_of(request.tenant.id).filter(id=notification_id).first()
    if row is None:
        raise Problem("not_found", f"There is no notification {notification_id}.", status=404)
    return row


def letter_or_404(request: TenantRequest, letter_id: uuid.UUID) -> DeadLetter:
    letter = selectors.dead_letters_of(request.tenant.id).filter(id=letter_id).first()
    if letter is None:
        raise Problem("not_found", f"There is no dead letter {letter_id}.", status=404)
    return letter
