"""Paths of templates, workflows and unsubscriptions. Promises to tenants: add, never rename."""

from django.urls import path

from notification_processor import explain_views, version_views, views
from notification_processor.unsubscribing.views import UnsubscribeView

urlpatterns = [
    path("v1/templates/", views.TemplatesView.as_view()),
    path("v1/templates/<uuid:template_id>/", views.TemplateView.as_view()),
    path("v1/templates/<uuid:template_id>/preview/", views.TemplatePreviewView.as_view()),
    path("v1/templates/<uuid:template_id>/versions/", version_views.VersionsView.as_view()),
    path("v1/templates/<uuid:template_id>/restore/", version_views.RestoreView.as_view()),
    path("v1/workflows/", views.WorkflowsView.as_view()),
    path("v1/workflows/<uuid:workflow_id>/", views.WorkflowView.as_view()),
    path("v1/explain/", explain_views.ExplainView.as_view()),
    path("u/<str:token>", UnsubscribeView.as_view()),
]
