"""Whether strangers may register here: REGISTRATION=open|token|closed."""

import hmac

from django.conf import settings
from rest_framework.request import Request

from traffic_control.errors import Problem


def let_in(request: Request) -> None:
    """Raises Problem 403 when this request may not register a tenant."""
    if settings.REGISTRATION == "open":
        return
    if settings.REGISTRATION != "token" or not settings.REGISTRATION_TOKEN:
        detail = "Registration is closed here. The operator adds tenants with: manage.py create_tenant NAME --email …"
        raise Problem("registration_closed", detail, status=403)
    given = request.headers.get("X-Registration-Token", "")
    if not hmac.compare_digest(given.encode(), settings.REGISTRATION_TOKEN.encode()):
        detail = "Registration needs the operator's token in the header X-Registration-Token; it was missing or wrong."
        raise Problem("registration_token_invalid", detail, status=403)
