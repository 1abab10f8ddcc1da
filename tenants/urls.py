from django.urls import path

from tenants import inbox_secret_views, integration_views, views

urlpatterns = [
    path("v1/tenants/register/", views.RegisterView.as_view(), name="register"),
    path("v1/tenants/me/", views.MeView.as_view(), name="me"),
    path("v1/api-keys/", views.ApiKeysView.as_view(), name="api-keys"),
    path("v1/api-keys/<str:key_id>/", views.ApiKeyView.as_view(), name="api-key"),
    path("v1/inbox-secrets/", inbox_secret_views.InboxSecretsView.as_view(), name="inbox-secrets"),
    path("v1/inbox-secrets/<str:kid>/", inbox_secret_views.InboxSecretView.as_view(), name="inbox-secret"),
    path("v1/integrations/", integration_views.IntegrationsView.as_view(), name="integrations"),
    path("v1/integrations/<str:integration_id>/", integration_views.IntegrationView.as_view(), name="integration"),
]
