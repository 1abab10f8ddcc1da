"""Paths of the ledger. Promises to tenants: add, never rename."""

from django.urls import path

from delivery_gateway import circuit_views, sandbox_views, trial, views
from delivery_gateway.callbacks.views import CallbackView

urlpatterns = [
    path("v1/notifications/", views.NotificationsView.as_view()),
    path("v1/notifications/<uuid:notification_id>/", views.NotificationView.as_view()),
    path("v1/notifications/<uuid:notification_id>/cancel/", views.CancelView.as_view()),
    path("v1/dead-letters/", views.DeadLettersView.as_view()),
    path("v1/dead-letters/replay/", views.ReplayManyView.as_view()),
    path("v1/dead-letters/<uuid:letter_id>/", views.DeadLetterView.as_view()),
    path("v1/dead-letters/<uuid:letter_id>/replay/", views.ReplayOneView.as_view()),
    path("v1/integrations/<uuid:integration_id>/test/", trial.IntegrationTrialView.as_view()),
    path("v1/callbacks/<str:token>/", CallbackView.as_view()),
    path("v1/circuits/", circuit_views.CircuitsView.as_view()),
    path("v1/sandbox/messages/", sandbox_views.SandboxMessagesView.as_view()),
]
