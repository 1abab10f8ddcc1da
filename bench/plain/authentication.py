import hashlib

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bench.plain.models import ApiKey, Tenant


def digest(raw_key: str) -> str:
    return hashlib.sha256(raw_key.encode()).hexdigest()


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ApiKey, Tenant]:
        sent = digest(request.headers.get("X-API-KEY", ""))
        key = ApiKey.objects.select_related("tenant").filter(digest=sent, revoked=False).first()
        if key is None:
            raise AuthenticationFailed("unknown API key")
        key.last_used_at = timezone.now()
        key.save(update_fields=["last_used_at"])
        return key, key.tenant

    def authenticate_header(self, request: Request) -> str:
        return "X-API-KEY"
