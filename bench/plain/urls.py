from django.urls import path

from bench.plain.views import EventView, NotifyView

urlpatterns = [
    path("v1/notify/", NotifyView.as_view()),
    path("api/events/", EventView.as_view()),
]
