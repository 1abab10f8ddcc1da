"""What operators, orchestrators and monitors ask."""

from django.urls import path

from monitoring import audit_views, health, metrics_views

urlpatterns = [
    path("livez", health.livez),
    path("livez/", health.livez),
    path("readyz", health.readyz),
    path("readyz/", health.readyz),
    path("health/", health.health),
    path("health/redis/", health.redis),
    path("health/celery/", health.celery),
    path("metrics", metrics_views.metrics),
    path("metrics/", metrics_views.metrics),
    path("v1/audit/", audit_views.AuditView.as_view(), name="audit"),
]
