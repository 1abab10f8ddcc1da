"""What operators and orchestrators ask."""

from django.urls import path

from monitoring import audit_views, health

urlpatterns = [
    path("livez", health.livez),
    path("livez/", health.livez),
    path("readyz", health.readyz),
    path("readyz/", health.readyz),
    path("health/", health.readyz),
    path("v1/audit/", audit_views.AuditView.as_view(), name="audit"),
]
