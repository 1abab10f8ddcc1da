"""The notification API under its second name, for clients that speak of orders and customers."""

from collections.abc import Sequence

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

import delivery_gateway.schemas as ledger_schemas
from delivery_gateway.ledger import NewNotification
from delivery_gateway.views import NotificationsView, NotificationView
from event_intake import alias_schemas, dry_runs, schemas
from event_intake.acceptance import accept_send
from event_intake.alias_serializers import CustomerSendSerializer
from event_intake.dry_runs import DryRunnable
from event_intake.orders import customer_of
from event_intake.plain_requests import send_of
from event_intake.receipts import notification_receipt
from event_intake.serializers import NotifySerializer
from notification_processor import direct
from notification_processor.direct import DirectSend
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem
from traffic_control.faults import object_of

TAGS = ["Notifications"]


class SendView(DryRunnable, Idempotent, APIView):
    """One message to one recipient, or to one customer on several channels."""

    scopes = {"POST": "send"}

    @extend_schema(
        operation_id="notifications_send", tags=TAGS, summary="Send one message, on one channel or several",
        description="The same as POST /v1/notify/. With `customer_id` and `channels`, one notification per channel.",
        request=PolymorphicProxySerializer(
            "Send", [NotifySerializer, CustomerSendSerializer], resource_type_field_name=None
        ),
        parameters=schemas.DRY_RUN, responses={202: alias_schemas.SendReceipt, 200: schemas.SendDryRun},
        examples=alias_schemas.SEND_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        if object_of(request.data).keys() & CustomerSendSerializer.OWN_FIELDS:
            return send_to_customer(request)
        send = send_of(request.data)
        if dry_runs.is_dry(request):
            return Response(dry_runs.of_sends(request.api_key, [send]))
        receipt, headers = accept_send(request.api_key, send)
        return Response(receipt, status=HTTP_202_ACCEPTED, headers=headers)


def send_to_customer(request: TenantRequest) -> Response:
    body = CustomerSendSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    customer = customer_of(request.tenant, body.validated_data["customer_id"])
    sends = body.to_sends(customer.user_id)
    if dry_runs.is_dry(request):
        return Response(dry_runs.of_sends(request.api_key, sends))
    rows = open_all(request, sends)
    receipts = [notification_receipt(row, request.api_key) for row in rows]
    return Response({"notifications": receipts}, status=HTTP_202_ACCEPTED)


def open_all(request: TenantRequest, sends: Sequence[DirectSend]) -> list[NewNotification]:
    """All of them, or none: raises the first Problem."""
    ready = []
    for prepared in direct.prepare(request.tenant, request.api_key.mode, sends):
        if isinstance(prepared, Problem):
            raise prepared
        ready.append(prepared)
    direct.accept(ready)
    return ready


@extend_schema_view(
    get=extend_schema(
        operation_id="notifications_history", tags=TAGS, summary="List notifications, newest first",
        description="The same as GET /v1/notifications/.",
        parameters=ledger_schemas.NOTIFICATION_PARAMETERS, responses=ledger_schemas.NotificationPage,
    )
)  # fmt: skip
class HistoryView(NotificationsView):
    """The tenant's notifications."""


@extend_schema_view(
    get=extend_schema(
        operation_id="notifications_status", tags=TAGS, summary="Show one notification and its timeline",
        description="The same as GET /v1/notifications/{id}/.", responses=ledger_schemas.NotificationDetail,
    )
)  # fmt: skip
class StatusView(NotificationView):
    """One notification with its whole story."""
