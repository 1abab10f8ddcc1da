"""Customers and their preferences over HTTP."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT, HTTP_400_BAD_REQUEST
from rest_framework.views import APIView

from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem, invalid
from traffic_control.faults import object_of
from traffic_control.pagination import page_of
from user_preferences import answers, batches, customers, preferences, recipients, selectors, serializers
from user_preferences.models import Customer

TAGS = ["Customers"]


class CustomersView(Idempotent, APIView):
    scopes = {"GET": "read", "POST": "customers"}

    @extend_schema(
        operation_id="customers_list", tags=TAGS, summary="List customers, newest first",
        parameters=serializers.PAGING, responses=serializers.CustomerPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = Customer.objects.for_tenant(request.tenant)
        return page_of(request, rows, lambda row: answers.customer(row, request.api_key))

    @extend_schema(
        operation_id="customers_create", tags=TAGS, summary="Introduce a customer",
        request=serializers.RecipientSerializer, responses={201: serializers.CustomerSerializer},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        recipient = recipients.read(object_of(request.data))

        customer = customers.create(request.tenant, recipient)

        answer = answers.customer(customer, request.api_key)
        return Response(answer, HTTP_201_CREATED, headers={"Location": f"/api/v1/customers/{customer.id}/"})


class CustomerBatchView(Idempotent, APIView):
    scopes = {"POST": "customers"}

    @extend_schema(
        operation_id="customers_batch", tags=TAGS, summary="Introduce or change up to 1,000 customers",
        description="Each is judged alone. 400 only when all of them are rejected.",
        request=serializers.CustomerBatch,
        responses={(status, "application/json"): serializers.CustomerBatchResult for status in (200, 400)},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        results = batches.store(request.tenant, object_of(request.data))
        is_any_stored = any(result["status"] != "rejected" for result in results)
        return Response({"results": results}, status=None if is_any_stored else HTTP_400_BAD_REQUEST)


class CustomerView(APIView):
    """One customer, by our id or by the tenant's user_id."""

    scopes = {"GET": "read", "PUT": "customers", "PATCH": "customers", "DELETE": "customers"}

    @extend_schema(
        operation_id="customers_retrieve",
        tags=TAGS,
        summary="Show a customer",
        responses=serializers.CustomerSerializer,
    )
    def get(self, request: TenantRequest, customer: str) -> Response:
        return Response(answers.customer(customer_or_404(request, customer), request.api_key))

    @extend_schema(
        operation_id="customers_replace", tags=TAGS, summary="Describe a customer anew",
        description="What the body leaves out is emptied.",
        request=serializers.CustomerPatchSerializer, responses=serializers.CustomerSerializer,
    )  # fmt: skip
    def put(self, request: TenantRequest, customer: str) -> Response:
        return self._change(request, customer, emptied=customers.COLUMNS)

    @extend_schema(
        operation_id="customers_update", tags=TAGS, summary="Change a customer",
        request=serializers.CustomerPatchSerializer, responses=serializers.CustomerSerializer,
    )  # fmt: skip
    def patch(self, request: TenantRequest, customer: str) -> Response:
        emptied = [name for name in customers.COLUMNS if object_of(request.data).get(name, "") is None]
        return self._change(request, customer, emptied=emptied)

    @extend_schema(
        operation_id="customers_delete", tags=TAGS, summary="Forget a customer and their choices",
        responses={204: OpenApiResponse(description="Forgotten.")},
    )  # fmt: skip
    def delete(self, request: TenantRequest, customer: str) -> Response:
        customers.remove(customer_or_404(request, customer))
        return Response(status=HTTP_204_NO_CONTENT)

    def _change(self, request: TenantRequest, key: str, *, emptied: Any) -> Response:
        row = customer_or_404(request, key)
        recipient = recipients.read(object_of(request.data), needs_user_id=False)
        if recipient.user_id not in ("", row.user_id):
            detail = f'A customer keeps its user_id, here "{row.user_id}". Introduce a new customer instead.'
            raise invalid("/user_id", detail, code="immutable")
        changed = customers.change(row, recipient, emptied=emptied)
        return Response(answers.customer(changed, request.api_key))


class PreferencesView(APIView):
    """What one customer chose, by user_id."""

    scopes = {"GET": "read", "PUT": "customers", "PATCH": "customers"}

    @extend_schema(
        operation_id="preferences_retrieve", tags=["Preferences"], summary="Show what a customer chose",
        responses=serializers.PreferencesSerializer,
    )  # fmt: skip
    def get(self, request: TenantRequest, user_id: str) -> Response:
        return Response(answers.preferences_of(customer_or_404(request, user_id)))

    @extend_schema(
        operation_id="preferences_replace", tags=["Preferences"], summary="Replace all of a customer's choices",
        description="A user_id never heard of becomes a customer.",
        request=serializers.ChoicesSerializer, responses=serializers.PreferencesSerializer,
    )  # fmt: skip
    def put(self, request: TenantRequest, user_id: str) -> Response:
        return self._choose(request, user_id, is_patch=False)

    @extend_schema(
        operation_id="preferences_update", tags=["Preferences"], summary="Change some of a customer's choices",
        description="null takes a choice back. A user_id never heard of becomes a customer.",
        request=serializers.ChoicesSerializer, responses=serializers.PreferencesSerializer,
    )  # fmt: skip
    def patch(self, request: TenantRequest, user_id: str) -> Response:
        return self._choose(request, user_id, is_patch=True)

    def _choose(self, request: TenantRequest, user_id: str, *, is_patch: bool) -> Response:
        edit = preferences.read(object_of(request.data))
        customer = preferences.choose(request.tenant, checked_user_id(user_id), edit, is_patch=is_patch)
        return Response(answers.preferences_of(customer))


def customer_or_404(request: TenantRequest, key: str) -> Customer:
    customer = selectors.find(request.tenant, key)
    if customer is None:
        raise Http404
    return customer


def checked_user_id(given: str) -> str:
    try:
        return recipients.user_id(given)
    except ValueError as exc:
        raise Problem("invalid_user_id", f"The user_id in the path is not usable: {exc}") from exc
