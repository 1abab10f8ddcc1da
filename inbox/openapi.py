"""How the OpenAPI document describes users' tokens. Imported when the app is ready."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class InboxTokenScheme(OpenApiAuthenticationExtension):
    target_class = "inbox.access.TokenAuthentication"
    name = "InboxToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An end user's token: signed by your server with an inbox secret, or issued by "
            "POST /v1/subscribers/{user_id}/inbox-tokens/.",
        }
