"""What a test key would have sent, for people and for tests that wait for a message."""

import time
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from delivery_gateway import answers, schemas, selectors
from delivery_gateway.filters import filtered
from tenants.authentication import TenantRequest
from traffic_control.errors import Problem
from traffic_control.pagination import page_of

MAX_WAIT = 30.0  # seconds
LOOK_EVERY = 0.1
FILTERS = {"to": "to", "channel": "channel", "user_id": "user_id", "event_id": "event_id"}


class SandboxMessagesView(APIView):
    """The sandbox outbox: every message of every test key of this tenant."""

    scopes = {"GET": "read", "DELETE": "send"}

    @extend_schema(
        operation_id="sandbox_list", tags=["Sandbox"], summary="List captured messages; wait for the first",
        parameters=schemas.SANDBOX_PARAMETERS, responses=schemas.SandboxPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = filtered(request, selectors.sandbox_of(request.tenant.id), fields=FILTERS, also=("wait",))
        wait_for_first(rows, seconds_to_wait(request))
        return page_of(request, rows, lambda row: answers.sandbox_message(row, request.api_key))

    @extend_schema(
        operation_id="sandbox_clear", tags=["Sandbox"], summary="Delete captured messages", responses={204: None},
        parameters=schemas.SANDBOX_PARAMETERS[:-1],
    )  # fmt: skip
    def delete(self, request: TenantRequest) -> Response:
        filtered(request, selectors.sandbox_of(request.tenant.id), fields=FILTERS).delete()
        return Response(status=HTTP_204_NO_CONTENT)


def seconds_to_wait(request: TenantRequest) -> float:
    given = request.query_params.get("wait", "0")
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise Problem("invalid_filter", f'wait "{given[:40]}" is not a number of seconds from 0 to {MAX_WAIT:.0f}.')
    return seconds


def wait_for_first(rows: QuerySet[Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not rows.exists():
        time.sleep(LOOK_EVERY)
