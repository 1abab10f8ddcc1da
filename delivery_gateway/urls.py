"""Paths of the ledger. Promises to tenants: add, never rename."""

from django.urls import path

from delivery_gateway import circuit_views, sandbox_views, triage_views, trial, views
from delivery_gateway.callbacks.views import CallbackView

urlpatterns = [
    path("v1/notifications/", views.NotificationsView.as_view()),
    path("v1/notifications/<uuid:notification_id>/", views.NotificationView.as_view()),
    path("v1/notifications/<uuid:notification_id>/cancel/", views.CancelView.as_view()),
    path("v1/dead-letters/", views.DeadLettersView.as_view()),
    path("v1/dead-letters/replay/", views.ReplayManyView.as_view()),
    path("v1/dead-letters/test/", triage_views.TestCauseView.as_view()),
    path("v1/dead-letters/discard/", triage_views.DiscardView.as_view()),
    path("v1/dead-letters/export/", triage_views.ExportView.as_view()),
    path("v1/dead-letters/replays/", triage_views.ReplaysView.as_view()),
    path("v1/dead-letters/replays/<uuid:job_id>/", triage_views.ReplayView.as_view()),
    path("v1/dead-letters/replays/<uuid:job_id>/cancel/", triage_views.CancelReplayView.as_view()),
    path("v1/dead-letters/<uuid:letter_id>/", views.DeadLetterView.as_view()),
    path("v1/dead-letters/<uuid:letter_id>/replay/", views.ReplayOneView.as_view()),
    path("v1/integrations/<uuid:integration_id>/test/", trial.IntegrationTrialView.as_view()),
    path("v1/callbacks/<str:token>/", CallbackView.as_view()),
    path("v1/circuits/", circuit_views.CircuitsView.as_view()),
    path("v1/sandbox/messages/", sandbox_views.SandboxMessagesView.as_view()),
]
