"""A user_id may have slashes in it, hence the path converters."""

from django.urls import path

from user_preferences import views

urlpatterns = [
    path("api/v1/customers/", views.CustomersView.as_view(), name="customers"),
    path("api/v1/customers/batch/", views.CustomerBatchView.as_view(), name="customer-batch"),
    path("api/v1/customers/<path:customer>/", views.CustomerView.as_view(), name="customer"),
    path("v1/preferences/<path:user_id>/", views.PreferencesView.as_view(), name="preferences"),
]
