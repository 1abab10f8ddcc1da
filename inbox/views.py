"""A user's own inbox over HTTP."""

import uuid
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from delivery_gateway import inbox
from delivery_gateway.inbox import Marks, Owner
from delivery_gateway.models import Inbox, InboxItem
from inbox import answers, lists, serializers
from inbox.access import InboxView, SubscriberRequest
from inbox.tokens import READ, WRITE
from traffic_control.errors import Problem
from traffic_control.pagination import limit_of

TAGS = ["Inbox"]
NOBODYS = Inbox()  # of whoever is no customer yet
AS_BEFORE = OpenApiResponse(description="As it was when it had the ETag in If-None-Match.")


def inbox_of(owner: Owner | None) -> Inbox:
    return inbox.state_of(owner) if owner else NOBODYS


def tag_of(state: Inbox, owner: Owner | None) -> str:
    """Weak: the version says that the messages are the same, not the bytes."""
    return f'W/"{owner.customer_id.hex[:12] if owner else "nobody"}-{state.version}"'


def is_known(request: SubscriberRequest, tag: str) -> bool:
    known = [one.strip() for one in request.META.get("HTTP_IF_NONE_MATCH", "").split(",")]
    return tag in known or tag.removeprefix("W/") in known


class CountsView(InboxView):
    token_scopes = {"GET": READ}

    @extend_schema(
        operation_id="inbox_counts", tags=TAGS, summary="Count the messages",
        parameters=serializers.LIST_PARAMETERS[-1:], responses={200: serializers.Counts, 304: AS_BEFORE},
    )  # fmt: skip
    def get(self, request: SubscriberRequest) -> Response:
        owner = request.subscriber.owner
        state = inbox_of(owner)
        tag = tag_of(state, owner)
        if is_known(request, tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(answers.counts(state), headers={"ETag": tag})


class ItemsView(InboxView):
    token_scopes = {"GET": READ}

    @extend_schema(
        operation_id="inbox_list", tags=TAGS, summary="List the messages, newest arrivals first",
        parameters=serializers.LIST_PARAMETERS, responses={200: serializers.ItemPage, 304: AS_BEFORE},
    )  # fmt: skip
    def get(self, request: SubscriberRequest) -> Response:
        asked, owner = request.query_params, request.subscriber.owner
        lists.check_names(asked)
        limit = limit_of(request)
        items = lists.narrowed(inbox.items_of(owner) if owner else InboxItem.objects.none(), asked)
        if version := asked.get("since"):
            items = lists.since(items, version)
        state = inbox_of(owner)  # read before the messages: the version is never ahead of what is shown
        tag = tag_of(state, owner)
        if is_known(request, tag):
            return Response(status=304, headers={"ETag": tag})
        shown, cursor = lists.page(items, owner, limit=limit, cursor=asked.get("cursor")) if owner else ([], None)
        body = {
            "data": [answers.item(row) for row in shown],
            "counts": answers.counts(state),
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }
        return Response(body, headers={"ETag": tag})


class ItemView(InboxView):
    token_scopes = {"GET": READ, "PATCH": WRITE}

    @extend_schema(operation_id="inbox_retrieve", tags=TAGS, summary="Show one message", responses=serializers.Item)
    def get(self, request: SubscriberRequest, item_id: uuid.UUID) -> Response:
        return Response(answers.item(item_or_404(request, item_id)))

    @extend_schema(
        operation_id="inbox_update", tags=TAGS, summary="Mark one message as read, seen or archived, or as not",
        description="Times are the server's; what is so already stays as it is.",
        request=serializers.MarksSerializer, responses=serializers.Item,
    )  # fmt: skip
    def patch(self, request: SubscriberRequest, item_id: uuid.UUID) -> Response:
        body = serializers.MarksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        marks = Marks(**body.validated_data)
        item_or_404(request, item_id)
        owner = owner_or_404(request)
        inbox.mark(owner, inbox.items_of(owner).filter(id=item_id), marks)
        return Response(answers.item(item_or_404(request, item_id)))


class MarkView(InboxView):
    token_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="inbox_mark", tags=TAGS, summary="Mark some messages, or all that were there",
        request=serializers.MarkManySerializer, responses=serializers.Marked,
    )  # fmt: skip
    def post(self, request: SubscriberRequest) -> Response:
        read = serializers.MarkManySerializer(data=request.data)
        read.is_valid(raise_exception=True)
        body = read.validated_data
        owner = request.subscriber.owner
        if owner is None:
            return Response({"counts": answers.counts(NOBODYS)})
        marks = Marks(**{name: body[name] for name in ("read", "seen", "archived") if name in body})
        state = inbox.mark(owner, meant(owner, body), marks)
        return Response({"counts": answers.counts(state)})


def meant(owner: Owner, body: dict[str, Any]) -> Any:
    items = inbox.items_of(owner)
    if "ids" in body:
        return items.filter(id__in=body["ids"])
    items = lists.narrowed(items, body["filter"])
    if "before" in body:
        items = items.filter(created_at__lte=body["before"])
    return items.filter(seq__lte=body["up_to"]) if "up_to" in body else items


class ActionView(InboxView):
    token_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="inbox_action", tags=TAGS, summary="Note that an action of a message was taken",
        description="The first time counts; the message is read with it.",
        request=None, responses=serializers.Item,
    )  # fmt: skip
    def post(self, request: SubscriberRequest, item_id: uuid.UUID, action: str) -> Response:
        known = [one["key"] for one in answers.actions_of(item_or_404(request, item_id))]
        if action not in known:
            raise Problem(
                "not_found", f"This message has no such action. It has: {', '.join(known) or 'none'}.", status=404
            )
        inbox.complete(owner_or_404(request), item_id, action)
        return Response(answers.item(item_or_404(request, item_id)))


class StreamView(InboxView):
    """Where the process that streams is not in front of this one: pages then poll."""

    token_scopes = {"GET": READ}

    @extend_schema(
        operation_id="inbox_stream", tags=TAGS, summary="Hear of changes as they happen (server-sent events)",
        description="Events `notification` (one arrived), `counts` (something was marked), `resync` (ask for "
        "everything) and `bye` (with a reason; come again), each with the counts. Send `Last-Event-ID` to hear of what "
        "was missed.",
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
    )  # fmt: skip
    def get(self, request: SubscriberRequest) -> Response:
        detail = "Nothing streams here: poll /v1/inbox/counts/ with If-None-Match instead."
        raise Problem("streaming_unavailable", detail, status=501)


def owner_or_404(request: SubscriberRequest) -> Owner:
    owner = request.subscriber.owner
    if owner is None:
        raise Problem("not_found", "This user has no messages.", status=404)
    return owner


def item_or_404(request: SubscriberRequest, item_id: uuid.UUID) -> InboxItem:
    found = inbox.items_of(owner_or_404(request)).filter(id=item_id).first()
    if found is None:
        raise Problem("not_found", "There is no such message in this inbox.", status=404)
    return found
