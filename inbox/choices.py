"""What a user wants to hear, over HTTP: the same choices, rules and log as those of the page behind a link."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from inbox import serializers
from inbox.access import InboxView, Subscriber, SubscriberRequest
from inbox.tokens import CHOOSE, READ
from traffic_control.errors import invalid
from traffic_control.faults import object_of
from user_preferences import consent_log, customers
from user_preferences.customers import RecipientInput
from user_preferences.models import Customer, Preference
from user_preferences.pages import own_choices
from user_preferences.pages.own_choices import Change

TAGS = ["Inbox"]
VERSION = re.compile(r"[A-Za-z0-9._-]{0,40}")
IF_MATCH = [OpenApiParameter("If-Match", str, "header", description="The ETag of what was shown: 412 if that changed")]


class OwnPreferencesView(InboxView):
    token_scopes = {"GET": READ, "PATCH": CHOOSE, "PUT": CHOOSE}

    @extend_schema(
        operation_id="inbox_preferences", tags=TAGS, summary="Show what the user wants to hear",
        description="All that there is to choose: channels with an address, and the categories of your workflows.",
        responses=serializers.OwnPreferences,
    )  # fmt: skip
    def get(self, request: SubscriberRequest) -> Response:
        answer = own_choices.shown(customer_of(request.subscriber))
        return Response(answer, headers={"ETag": own_choices.tag_of(answer)})

    @extend_schema(
        operation_id="inbox_preferences_update", tags=TAGS, summary="Change some of the user's choices",
        description="null takes a choice back. `undo` of the answer is the body that takes this change back.",
        parameters=IF_MATCH, request=serializers.OwnChoices, responses=serializers.ChangedPreferences,
    )  # fmt: skip
    def patch(self, request: SubscriberRequest) -> Response:
        return self._change(request, is_patch=True)

    @extend_schema(
        operation_id="inbox_preferences_replace", tags=TAGS, summary="Replace all of the user's choices",
        parameters=IF_MATCH, request=serializers.OwnChoices, responses=serializers.ChangedPreferences,
    )  # fmt: skip
    def put(self, request: SubscriberRequest) -> Response:
        return self._change(request, is_patch=False)

    def _change(self, request: SubscriberRequest, *, is_patch: bool) -> Response:
        body = dict(object_of(request.data))
        version = _version(body.pop("text_version", ""))
        voice = consent_log.voice_of(request._request, Preference.Source.INBOX, version)
        change = Change(body, is_patch=is_patch, voice=voice, expected=_expected(request))
        answer, undo = own_choices.change(stored(request.subscriber), change)
        return Response(answer | {"undo": undo}, headers={"ETag": own_choices.tag_of(answer)})


def customer_of(subscriber: Subscriber) -> Customer:
    """Not stored, for a user who is no customer yet."""
    tenant, owner = subscriber.tenant, subscriber.owner
    if owner is None:
        return Customer(tenant=tenant, user_id=subscriber.claims.user_id)
    return Customer.objects.for_tenant(tenant).select_related("tenant").get(pk=owner.customer_id)


def stored(subscriber: Subscriber) -> Customer:
    if subscriber.owner is not None:
        return customer_of(subscriber)
    user_id = subscriber.claims.user_id
    return customers.upsert(subscriber.tenant, [RecipientInput(user_id)])[user_id]


def _expected(request: SubscriberRequest) -> list[str]:
    """The tags of If-Match; none where any will do."""
    tags = [one.strip() for one in request.META.get("HTTP_IF_MATCH", "").split(",") if one.strip()]
    return [] if "*" in tags else tags


def _version(given: Any) -> str:
    if not isinstance(given, str) or not VERSION.fullmatch(given):
        raise invalid("/text_version", "It must be at most 40 letters, digits, dots and hyphens.")
    return given
