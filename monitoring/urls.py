"""What operators and orchestrators ask."""

from django.urls import path

from monitoring import health

urlpatterns = [
    path("livez", health.livez),
    path("livez/", health.livez),
    path("readyz", health.readyz),
    path("readyz/", health.readyz),
    path("health/", health.readyz),
]
