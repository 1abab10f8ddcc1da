"""A user_id may have slashes in it, hence the path converter."""

from django.urls import path

from inbox import choices, demo, issuing, views

urlpatterns = [
    path("v1/inbox/notifications/", views.ItemsView.as_view()),
    path("v1/inbox/notifications/mark/", views.MarkView.as_view()),
    path("v1/inbox/notifications/<uuid:item_id>/", views.ItemView.as_view()),
    path("v1/inbox/notifications/<uuid:item_id>/actions/<str:action>/", views.ActionView.as_view()),
    path("v1/inbox/stream/", views.StreamView.as_view()),
    path("v1/inbox/counts/", views.CountsView.as_view()),
    path("v1/inbox/preferences/", choices.OwnPreferencesView.as_view()),
    path("demo/inbox/", demo.page),
    path("demo/inbox/token/", demo.token),
    path("demo/inbox/send/", demo.send),
    path("v1/subscribers/<path:user_id>/inbox-tokens/", issuing.InboxTokensView.as_view()),
]
