"""Every path of the project; each app lists its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from traffic_control import error_page

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("", include("event_intake.urls")),
    path("", include("inbox.urls")),
    path("", include("delivery_gateway.urls")),
    path("", include("notification_processor.urls")),
    path("", include("user_preferences.urls")),
    path("", include("tenants.urls")),
    path("", include("monitoring.urls")),
    path("admin/", admin.site.urls),
    path("docs/errors/", error_page.errors),
    path("api/schema/", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]), name="schema"),
    path(
        "docs/api/", SpectacularSwaggerView.as_view(authentication_classes=[], permission_classes=[], url_name="schema")
    ),
]

handler400 = "traffic_control.errors.bad_request"
handler404 = "traffic_control.errors.not_found"
handler500 = "traffic_control.errors.server_error"
