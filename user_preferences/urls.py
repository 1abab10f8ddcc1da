"""A user_id may have slashes in it, hence the path converters."""

from django.urls import path

from user_preferences import people_views, views
from user_preferences.pages.link_views import PreferenceLinksView
from user_preferences.pages.views import PreferencePageView

urlpatterns = [
    path("api/v1/customers/", views.CustomersView.as_view(), name="customers"),
    path("api/v1/customers/batch/", views.CustomerBatchView.as_view(), name="customer-batch"),
    path("api/v1/customers/<path:customer>/", views.CustomerView.as_view(), name="customer"),
    path("v1/people/export/", people_views.ExportView.as_view(), name="people-export"),
    path("v1/people/erase/", people_views.EraseView.as_view(), name="people-erase"),
    path("v1/people/erasures/<uuid:erasure_id>/", people_views.ErasureView.as_view(), name="people-erasure"),
    path("v1/subscribers/<path:user_id>/preference-links/", PreferenceLinksView.as_view(), name="preference-links"),
    path("p/<str:token>", PreferencePageView.as_view(), name="preference-page"),
    path("v1/preferences/<path:user_id>/", views.PreferencesView.as_view(), name="preferences"),
]
