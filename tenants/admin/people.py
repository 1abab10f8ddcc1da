"""Who may use the console. Superusers' business alone: whoever can change accounts can become anybody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, StackedInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants.models import Membership

admin.site.unregister([User, Group])


class SuperusersOnly:
    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)


class MembershipInline(SuperusersOnly, StackedInline):
    model = Membership
    autocomplete_fields = ("tenant",)
    verbose_name_plural = "Membership: staff of a tenant see its rows only, staff without one see none"


@admin.register(User)
class AccountAdmin(SuperusersOnly, UserAdmin, ModelAdmin):
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "email", "is_staff", "is_superuser", "membership", "last_login")
    list_select_related = ("membership__tenant", "membership__user")

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_inline_instances(request, obj) if obj else []  # an account first, its place afterwards


@admin.register(Group)
class RoleAdmin(SuperusersOnly, GroupAdmin, ModelAdmin):
    pass


@admin.register(Membership)
class MembershipAdmin(SuperusersOnly, ModelAdmin):
    list_display = ("user", "tenant")
    list_select_related = ("user", "tenant")
    autocomplete_fields = ("user", "tenant")
    search_fields = ("=user__username", "tenant__name__istartswith")
