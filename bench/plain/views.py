from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from bench.plain.models import MessageTemplate, Notification
from bench.plain.serializers import EventSerializer, NotifySerializer
from bench.plain.tasks import process_event, send_notification


class NotifyView(APIView):
    def post(self, request: Request) -> Response:
        body = NotifySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data

        template = get_object_or_404(
            MessageTemplate, tenant=request.auth, name=wanted["template"], channel=wanted["channel"]
        )
        notification = Notification.objects.create(
            tenant=request.auth,
            template=template,
            channel=wanted["channel"],
            address=wanted["to"],
            variables=wanted["data"],
        )
        self.hand_on(notification)

        return Response({"id": str(notification.id), "status": notification.status}, HTTP_202_ACCEPTED)

    def hand_on(self, notification: Notification) -> None:
        send_notification.delay(str(notification.id))


class EventView(APIView):
    def post(self, request: Request) -> Response:
        body = EventSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        process_event.delay(request.auth.pk, body.validated_data)

        return Response({"status": "accepted"}, HTTP_202_ACCEPTED)
