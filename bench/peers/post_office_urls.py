from django.conf import settings
from django.urls import path
from post_office import mail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from bench.plain.serializers import NotifySerializer


class PostOfficeView(APIView):
    def post(self, request: Request) -> Response:
        body = NotifySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data

        queued = mail.send(
            wanted["to"],
            settings.DEFAULT_FROM_EMAIL,
            template=wanted["template"],
            context=wanted["data"],
            render_on_delivery=True,
        )

        return Response({"id": queued.pk, "status": "queued"}, HTTP_202_ACCEPTED)


urlpatterns = [path("v1/notify/", PostOfficeView.as_view())]
