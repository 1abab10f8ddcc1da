"""What is done about dead letters: try a cause again, send many again in the background, put away, export."""

import uuid

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from delivery_gateway import answers, dead_letters, exporting, replays, schemas, selectors
from delivery_gateway.filters import filtered
from delivery_gateway.replay_job import ReplayJob
from delivery_gateway.views import LETTER_FILTERS, chosen, letter_or_404, letters_of_state
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem
from traffic_control.pagination import page_of

TAGS = ["Dead letters"]


class TestCauseView(Idempotent, APIView):
    """Whether a cause is mended: the newest letter of it goes out for real."""

    scopes = {"POST": "replay"}

    @extend_schema(
        operation_id="dead_letters_test", tags=TAGS, summary="Send the newest letter of a cause again",
        description="To see whether it goes: `GET /v1/dead-letters/{id}/` says so a moment later (`is_resolved`).",
        request=schemas.ChoiceSerializer, responses={202: schemas.DeadLetterDetail},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = schemas.ChoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        letters = chosen(request, body).letters()
        newest = letters.order_by("-id").first()
        if newest is None or not dead_letters.replay(letters.filter(id=newest.id)):
            raise Problem("nothing_to_replay", "No dead letter that waits is like that.", status=409)
        answer = answers.dead_letter(letter_or_404(request, newest.id), request.api_key)
        return Response(answer, status=HTTP_202_ACCEPTED)


class DiscardView(Idempotent, APIView):
    """What is not to be sent again."""

    scopes = {"POST": "replay"}

    @extend_schema(
        operation_id="dead_letters_discard", tags=TAGS, summary="Put dead letters away, with a reason",
        request=schemas.DiscardSerializer, responses={200: schemas.DiscardCount},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = schemas.DiscardSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        letters = chosen(request, body).letters()
        if body.validated_data["dry_run"]:
            return Response({"count": selectors.number_of(letters), "discarded": 0})
        discarded = dead_letters.discard(letters, reason=body.validated_data["reason"])
        return Response({"count": discarded + selectors.number_of(letters), "discarded": discarded})


class ReplaysView(Idempotent, APIView):
    """Jobs that send dead letters again."""

    scopes = {"GET": "read", "POST": "replay"}

    @extend_schema(
        operation_id="replays_list", tags=TAGS, summary="List replays in the background, newest first",
        parameters=schemas.PAGING, responses=schemas.ReplayPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        return page_of(request, ReplayJob.objects.filter(tenant=request.tenant), answers.replay_job)

    @extend_schema(
        operation_id="replays_create", tags=TAGS, summary="Send dead letters again in the background, by filter",
        description="However many there are, and not faster than `rate` a second. Count them first: "
        "`POST /v1/dead-letters/replay/` with `dry_run`.",
        request=schemas.ReplayJobSerializer, responses={202: schemas.ReplayDetail},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = schemas.ReplayJobSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job = replays.start(
            chosen(request, body), rate=body.validated_data.get("rate"), started_by=str(request.api_key)
        )
        answer = answers.replay_job(job, {})
        return Response(answer, status=HTTP_202_ACCEPTED, headers={"Location": answer["links"]["self"]})


class ReplayView(APIView):
    """One of them, with how far it is."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="replays_retrieve", tags=TAGS, summary="Show a replay's progress", responses=schemas.ReplayDetail
    )
    def get(self, request: TenantRequest, job_id: uuid.UUID) -> Response:
        job = ReplayJob.objects.filter(tenant=request.tenant, id=job_id).first()
        return Response(shown(job, job_id))


class CancelReplayView(Idempotent, APIView):
    """Stops it where it is."""

    scopes = {"POST": "replay"}

    @extend_schema(
        operation_id="replays_cancel", tags=TAGS, summary="Cancel a replay; what is sent again stays so",
        request=None, responses=schemas.ReplayDetail,
    )  # fmt: skip
    def post(self, request: TenantRequest, job_id: uuid.UUID) -> Response:
        return Response(shown(replays.cancel(request.tenant.id, job_id), job_id))


class ExportView(APIView):
    """Dead letters as a file, written while it is read from the database."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="dead_letters_export", tags=TAGS, summary="Export dead letters as CSV or JSON lines",
        parameters=schemas.EXPORT_PARAMETERS,
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/jsonl"): OpenApiResponse(OpenApiTypes.STR)},
    )  # fmt: skip
    def get(self, request: TenantRequest) -> StreamingHttpResponse:
        kind = request.query_params.get("as", "csv")
        if kind not in exporting.KINDS:
            raise Problem("invalid_filter", f'as "{kind[:40]}" is not one of {", ".join(exporting.KINDS)}.')
        letters = selectors.dead_letters_of(request.tenant.id)
        letters = letters_of_state(request, filtered(request, letters, fields=LETTER_FILTERS, also=("state", "as")))
        return exporting.response(letters, request.api_key, kind)


def shown(job: ReplayJob | None, job_id: uuid.UUID) -> dict[str, object]:
    if job is None:
        raise Problem("not_found", f"There is no replay {job_id}.", status=404)
    return answers.replay_job(job, replays.outcomes(job))
