"""Whose rows a console request is about, known once its user is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tenants.admin_base import tenant_id_of
from traffic_control.console_middleware import CONSOLE
from traffic_control.scope import across_tenants, narrow_to


class ConsoleScope:
    """Superusers look across tenants; staff with a membership are at their tenant; all others are nowhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(CONSOLE):
            return self.get_response(request)
        with across_tenants():  # a membership leads to its tenant
            is_across, own = request.user.is_superuser, tenant_id_of(request)
            if is_across:
                return self.get_response(request)
        if own:
            narrow_to(own)
        return self.get_response(request)
