"""The OpenAPI document: what every call shares, added to what the views say of themselves.

A view adds its own parts with `@extend_schema(operation_id=…, tags=[…], summary=…, request=…, responses=…)`.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from traffic_control.pagination import DEFAULT_LIMIT, MAX_LIMIT

PROBLEM_TYPE = "application/problem+json"
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    description=f"1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}",
)
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is stable; `errors` lists the faulty places of a body.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                },
            },
        },
    },
}
RESPONSES = {
    "400": ("Invalid", "The request is not valid; nothing was stored."),
    "401": ("NotAuthenticated", "The API key is missing, unknown, expired or revoked."),
    "403": ("NotAllowed", "The tenant is not active, or the key lacks the scope."),
    "404": ("NotFound", "This tenant has no such object."),
    "409": ("Conflict", "What is there does not allow it, or the same Idempotency-Key is at work; `code` says which."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("UnsupportedMediaType", "The body is not JSON in UTF-8."),
    "422": ("KeyReused", "The Idempotency-Key was used with another body."),
    "429": (
        "RateLimited",
        "The tenant has used up its quota, or has too much waiting, or too many bad keys came from the address; "
        "Retry-After says when to come back.",
    ),
    "default": ("Problem", "Any other error."),
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key and body, the request is answered as the first time and not repeated.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 257},
}


class Schema(AutoSchema):
    """Adds problems, the Idempotency-Key header, and the scope a key needs."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        if self._takes_idempotency_key():
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        for status in self._problems(operation):
            documented = operation["responses"].setdefault(status, self._problem(status))
            if "content" in documented:
                documented["content"].setdefault(PROBLEM_TYPE, {"schema": self._problem_schema()})
        return operation

    def get_description(self) -> str:  # type: ignore[override]
        described = super().get_description()
        scope = getattr(self.view, "scopes", {}).get(self.method)
        return f"{described}\n\nNeeds the scope `{scope}`.".strip() if scope else described

    def _takes_idempotency_key(self) -> bool:
        return self.method == "POST" and getattr(self.view, "is_idempotent", False)

    def _problems(self, operation: dict[str, Any]) -> list[str]:
        statuses = ["400", "default"]
        if any(operation.get("security", ())):
            statuses += ["401", "403", "429"]
        if "{" in self.path:
            statuses += ["404"] if self.method == "GET" else ["404", "409"]
        if "requestBody" in operation:
            statuses += ["413", "415"]
        if self._takes_idempotency_key():
            statuses += ["409", "422"]
        return sorted(set(statuses))

    def _problem(self, status: str) -> dict[str, Any]:
        name, description = RESPONSES[status]
        response = {"description": description, "content": {PROBLEM_TYPE: {"schema": self._problem_schema()}}}
        return self._component(name, ResolvedComponent.RESPONSE, response)

    def _problem_schema(self) -> dict[str, Any]:
        return self._component("Problem", ResolvedComponent.SCHEMA, PROBLEM)

    def _component(self, name: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        ref: dict[str, Any] = component.ref
        return ref
