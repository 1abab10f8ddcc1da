from django.urls import path
from django_q.tasks import async_task

from bench.plain.models import Notification
from bench.plain.views import NotifyView


class QueuedView(NotifyView):
    def hand_on(self, notification: Notification) -> None:
        async_task("bench.plain.tasks.send_notification", str(notification.id))


urlpatterns = [path("v1/notify/", QueuedView.as_view())]
