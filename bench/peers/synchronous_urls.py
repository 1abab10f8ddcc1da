from django.urls import path

from bench.plain.delivery import deliver
from bench.plain.models import Notification
from bench.plain.views import NotifyView


class SynchronousView(NotifyView):
    def hand_on(self, notification: Notification) -> None:
        deliver(notification.template, notification.address, notification.variables)
        notification.status = "sent"
        notification.attempts = 1
        notification.save()


urlpatterns = [path("v1/notify/", SynchronousView.as_view())]
