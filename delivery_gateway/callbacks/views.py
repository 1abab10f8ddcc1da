"""`POST /v1/callbacks/<token>/`: a provider tells what became of messages. No API key: the signature is the proof."""

import time
from math import ceil
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_401_UNAUTHORIZED
from rest_framework.views import APIView

from delivery_gateway.callbacks import mail_services, receiving, standard
from delivery_gateway.callbacks.contract import News, forged
from tenants import callback_urls, integrations
from tenants.integrations import IntegrationConfig
from tenants.models import Integration
from tenants.providers import SERVICE, STANDARD
from traffic_control import guessing
from traffic_control.errors import Problem
from traffic_control.metrics import CALLBACKS, count
from traffic_control.parsers import parse_json
from traffic_control.rate_limit import parse_limit, spend
from traffic_control.scope import across_tenants, narrow_to

SECONDS = "5"  # until what is under way may have been recorded
COUNTS = (receiving.APPLIED, receiving.NOTED, receiving.REPEATED, receiving.UNKNOWN, receiving.IGNORED)
CallbackAnswer = inline_serializer("CallbackCounts", {name: serializers.IntegerField() for name in COUNTS})


class CallbackView(APIView):
    """Proven before anything is looked at, and limited: guesses per address, proven calls per integration."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="callbacks_receive", tags=["Integrations"], summary="For providers: what became of messages",
        description="The path is the integration's `callback_url`. Proven by the provider's own signature.",
        request={"application/json": {}}, responses=CallbackAnswer, auth=[],
    )  # fmt: skip
    def post(self, request: Request, token: str) -> Response:
        source = _source(request, token)
        service = source.values.get(SERVICE) or STANDARD
        try:
            news = _proven(request, source, service)
        except Problem as problem:
            count(CALLBACKS, service, "none", "refused")
            if problem.status_code == HTTP_401_UNAUTHORIZED:
                _slow_down(request)
            raise
        counts = receiving.receive(source, news, service=service, now=timezone.now())
        if counts[receiving.EARLY]:
            detail = "It is about a message whose sending is not recorded yet. Send it again."
            raise Problem("not_sent_yet", detail, status=503, headers={"Retry-After": SECONDS})
        return Response({name: counts[name] for name in COUNTS})


def _source(request: Request, token: str) -> IntegrationConfig:
    integration_id = callback_urls.integration_in(token)
    if integration_id is None:
        _slow_down(request)
    with across_tenants():  # the token is ours, and says which integration
        row = Integration.objects.filter(pk=integration_id).first() if integration_id else None
    if row is None:
        raise Problem("not_found", "There is no integration that is called back here.", status=404)
    narrow_to(row.tenant_id)
    return integrations.opened(row)


def _proven(request: Request, source: IntegrationConfig, service: str) -> list[News]:
    secret, now = source.values.get(callback_urls.SECRET, ""), time.time()
    if not secret:
        raise forged()
    plain: Any = request._request
    if service == STANDARD:
        key = standard.prove(plain.headers, plain.body, secret, now=now)
        _charge(source)
        return [standard.read(parse_json(plain.body), key)]
    parse_json(plain.body)
    news = mail_services.read(service, plain, secret, now=now)
    _charge(source)
    return news


def _charge(source: IntegrationConfig) -> None:
    limit = parse_limit(settings.CALLBACK_RATE_LIMIT)
    allowance = spend(f"callbacks:{source.id}", limit) if limit else None
    if allowance is not None and not allowance.is_granted:
        raise _too_many(ceil(allowance.more_in))


def _slow_down(request: Request) -> None:
    if wait := guessing.seconds_to_wait(request._request):
        raise _too_many(wait)


def _too_many(wait: int) -> Problem:
    detail = f"There were too many callbacks. Send it again in {max(1, wait)} s."
    return Problem("rate_limited", detail, status=429, headers={"Retry-After": str(max(1, wait))})
