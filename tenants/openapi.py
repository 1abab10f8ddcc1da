"""How the OpenAPI document describes our authentication. Imported when the app is ready."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "tenants.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-KEY",
            "description": "`sk_live_…` sends, `sk_test_…` captures in the sandbox. Also as `Authorization: Bearer`.",
        }
