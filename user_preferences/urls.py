"""A user_id may have slashes in it, hence the path converters."""

from django.urls import path

from user_preferences import people_views, views

urlpatterns = [
    path("api/v1/customers/", views.CustomersView.as_view(), name="customers"),
    path("api/v1/customers/batch/", views.CustomerBatchView.as_view(), name="customer-batch"),
    path("api/v1/customers/<path:customer>/", views.CustomerView.as_view(), name="customer"),
    path("v1/people/export/", people_views.ExportView.as_view(), name="people-export"),
    path("v1/people/erase/", people_views.EraseView.as_view(), name="people-erase"),
    path("v1/people/erasures/<uuid:erasure_id>/", people_views.ErasureView.as_view(), name="people-erasure"),
    path("v1/preferences/<path:user_id>/", views.PreferencesView.as_view(), name="preferences"),
]
