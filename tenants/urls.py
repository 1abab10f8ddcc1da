from django.urls import path

from tenants import integration_views, views

urlpatterns = [
    path("v1/tenants/register/", views.RegisterView.as_view(), name="register"),
    path("v1/tenants/me/", views.MeView.as_view(), name="me"),
    path("v1/api-keys/", views.ApiKeysView.as_view(), name="api-keys"),
    path("v1/api-keys/<str:key_id>/", views.ApiKeyView.as_view(), name="api-key"),
    path("v1/integrations/", integration_views.IntegrationsView.as_view(), name="integrations"),
    path("v1/integrations/<str:integration_id>/", integration_views.IntegrationView.as_view(), name="integration"),
]
