"""Paths of templates and workflows. Promises to tenants: add, never rename."""

from django.urls import path

from notification_processor import views

urlpatterns = [
    path("v1/templates/", views.TemplatesView.as_view()),
    path("v1/templates/<uuid:template_id>/", views.TemplateView.as_view()),
    path("v1/templates/<uuid:template_id>/preview/", views.TemplatePreviewView.as_view()),
    path("v1/workflows/", views.WorkflowsView.as_view()),
    path("v1/workflows/<uuid:workflow_id>/", views.WorkflowView.as_view()),
]
