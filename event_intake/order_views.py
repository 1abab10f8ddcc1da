"""Orders over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED
from rest_framework.views import APIView

from event_intake import order_schemas, orders
from event_intake.models import Order
from event_intake.order_serializers import OrderSerializer, OrderStatusSerializer, order_answer
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem
from traffic_control.pagination import page_of

TAGS = ["Orders"]


class OrdersView(Idempotent, APIView):
    """What customers ordered."""

    scopes = {"GET": "read", "POST": "send"}

    @extend_schema(
        operation_id="orders_list", tags=TAGS, summary="List orders, newest first",
        parameters=order_schemas.ORDER_PARAMETERS, responses=order_schemas.OrderPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = orders.of_tenant(request.tenant.id)
        if user_id := request.query_params.get("user_id"):
            rows = rows.filter(customer__user_id=user_id.replace("\x00", ""))
        if status := request.query_params.get("status"):
            rows = rows.filter(status=known_status(status))
        return page_of(request, rows, order_answer)

    @extend_schema(
        operation_id="orders_create", tags=TAGS, summary="Create an order and tell its customer",
        description="Publishes ORDER_CREATED in the same transaction.",
        request=OrderSerializer, responses={201: order_schemas.Order}, examples=order_schemas.ORDER_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = OrderSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        order = orders.create(request.tenant, request.api_key.mode, body.to_order())

        answer = order_answer(order)
        return Response(answer, status=HTTP_201_CREATED, headers={"Location": answer["links"]["self"]})


class OrderView(APIView):
    """One order, by our id or its number."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="orders_retrieve", tags=TAGS, summary="Show an order", responses=order_schemas.Order)
    def get(self, request: TenantRequest, order: str) -> Response:
        return Response(order_answer(orders.find(request.tenant, order)))


class OrderStatusView(APIView):
    """Where an order stands, by our id or its number."""

    scopes = {"PUT": "send"}

    @extend_schema(
        operation_id="orders_set_status", tags=TAGS, summary="Change an order's status and tell its customer",
        description="created → confirmed → shipped → delivered; cancelled from created or confirmed. Publishes "
        "ORDER_STATUS_CHANGED in the same transaction. The status that it has already changes nothing.",
        request=OrderStatusSerializer,
        responses={200: order_schemas.Order, (409, "application/problem+json"): order_schemas.ILLEGAL_STEP},
    )  # fmt: skip
    def put(self, request: TenantRequest, order: str) -> Response:
        body = OrderStatusSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        changed = orders.change_status(request.tenant, request.api_key.mode, order, body.validated_data["status"])

        return Response(order_answer(changed))


def known_status(given: str) -> str:
    if given not in Order.Status.values:
        raise Problem("invalid_filter", f'status "{given[:40]}" is not one of {", ".join(Order.Status.values)}.')
    return given
