"""Paths of the door. Promises to tenants: add, never rename. An order's number may have slashes in it."""

from django.urls import path

from event_intake import aliases, order_views, views

urlpatterns = [
    path("api/events/", views.EventsView.as_view()),
    path("api/events/batch/", views.EventBatchView.as_view()),
    path("api/events/<uuid:event_id>/", views.EventDetailView.as_view()),
    path("v1/notify/", views.NotifyView.as_view()),
    path("v1/notify/batch/", views.NotifyBatchView.as_view()),
    path("api/v1/notifications/send/", aliases.SendView.as_view()),
    path("api/v1/notifications/history/", aliases.HistoryView.as_view()),
    path("api/v1/notifications/status/<uuid:notification_id>/", aliases.StatusView.as_view()),
    path("api/v1/orders/", order_views.OrdersView.as_view()),
    path("api/v1/orders/<path:order>/status/", order_views.OrderStatusView.as_view()),
    path("api/v1/orders/<path:order>/", order_views.OrderView.as_view()),
]
