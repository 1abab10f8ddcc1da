from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from bench.bare.models import Message
from bench.plain.serializers import NotifySerializer


class NotifyView(APIView):
    def post(self, request: Request) -> Response:
        body = NotifySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data

        message = Message.objects.create(
            channel=wanted["channel"], to=wanted["to"], template=wanted["template"], variables=wanted["data"]
        )

        return Response({"id": str(message.id), "status": "pending"}, HTTP_202_ACCEPTED)


urlpatterns = [path("v1/notify/", NotifyView.as_view())]
