"""Paths of the door. Promises to tenants: add, never rename."""

from django.urls import path

from event_intake import views

urlpatterns = [
    path("api/events/", views.EventsView.as_view()),
    path("api/events/batch/", views.EventBatchView.as_view()),
    path("api/events/<uuid:event_id>/", views.EventDetailView.as_view()),
    path("v1/notify/", views.NotifyView.as_view()),
    path("v1/notify/batch/", views.NotifyBatchView.as_view()),
]
