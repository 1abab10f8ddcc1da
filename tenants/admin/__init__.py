"""The console's pages for tenants and what belongs to them. Importing registers them."""

from django.contrib import admin

from tenants.admin import integrations, keys, people, tenants

__all__ = ["integrations", "keys", "people", "tenants"]

admin.site.site_header = "Traffic Control"
admin.site.site_title = "Traffic Control"
admin.site.index_title = "Console"
