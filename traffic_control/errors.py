"""Errors on the wire: RFC 9457 `application/problem+json`, with a stable `code` for each."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from traffic_control.log_context import current_request_id
from traffic_control.outage import is_outage

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
API_KEY = re.compile(r"(sk_(?:live|test)_[0-9a-f]{16}_)[A-Za-z0-9_-]+")
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    412: "Precondition failed",
    413: "Payload too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too many requests",
    500: "Internal error",
    501: "Not available here",
    503: "Temporarily unavailable",
}
DRF_CODES = {
    exceptions.ParseError: "malformed_json",
    exceptions.ValidationError: "validation_error",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "invalid_api_key",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limited",
}


class Problem(exceptions.APIException):
    """An error with its own status and code. `detail` names the value, the reason and the next step.

    `members` are added to the body: a `type` of somebody else's, or what that type defines.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 400,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.code, self.status_code = code, status
        self.errors, self.headers, self.members = errors, headers or {}, members or {}


def invalid(pointer: str, detail: str, *, code: str = "invalid", hint: str | None = None) -> Problem:
    """A validation error about one place of the body, e.g. `invalid("/to", "…")`."""
    error = {"pointer": f"#{pointer}", "code": code, "detail": detail} | ({"hint": hint} if hint else {})
    return Problem("validation_error", detail, errors=[error])


def without_keys(text: str) -> str:
    """Names the value that is wrong; an API key in the wrong place by its public part only."""
    return API_KEY.sub(r"\1…", text) if "sk_" in text else text


def problem_body(
    status: int, code: str, detail: str, *, path: str = "", errors: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL}/docs/errors/#{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": without_keys(detail),
        "instance": without_keys(path),
        "code": code,
        "request_id": current_request_id(),
    }
    if not errors:
        return body
    told = [{name: without_keys(one) if isinstance(one, str) else one for name, one in e.items()} for e in errors]
    return body | {"errors": told}


def problem_response(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """A problem from outside DRF: middleware and the URL resolver's handlers."""
    body = problem_body(status, code, detail, path=request.path)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def flatten(detail: Any, pointer: str = "#") -> Iterator[dict[str, Any]]:
    """DRF's nested validation detail as a flat list of JSON pointers."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from flatten(value, pointer if key == "non_field_errors" else f"{pointer}/{key}")
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from flatten(value, f"{pointer}/{index}" if isinstance(value, dict | list) else pointer)
    else:
        yield {"pointer": pointer, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def problem_of(exc: Exception) -> Problem | None:
    """What any exception means to a client; None when it is a fault of ours."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, Http404):
        return Problem("not_found", "No such object for this API key's tenant.", status=404)
    if isinstance(exc, PermissionDenied):
        return Problem("permission_denied", str(exc) or "This key may not do that.", status=403)
    if isinstance(exc, exceptions.ValidationError):
        errors = list(flatten(exc.detail))
        first = errors[0]
        detail = f"{first['pointer'].removeprefix('#/') or 'body'}: {first['detail']}"
        return Problem("validation_error", detail, errors=errors)
    if isinstance(exc, exceptions.APIException):
        code = next((c for kind, c in DRF_CODES.items() if isinstance(exc, kind)), "error")
        return Problem(code, str(exc.detail), status=exc.status_code, headers=_headers_of(exc))
    if is_outage(exc):
        detail = "The database does not answer; nothing was stored. Send the same request again."
        return Problem("database_unavailable", detail, status=503, headers={"Retry-After": "2"})
    return None


def _headers_of(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler. What we did not foresee is a 500 that leaks nothing and is logged with its id."""
    from rest_framework.views import set_rollback  # which imports our authentication, which imports this module

    request = context["request"]
    problem = problem_of(exc)
    if problem is None or problem.status_code >= 500:
        log.error("request failed: %s", type(exc).__name__, exc_info=exc if problem is None else None)
    if problem is None:
        detail = "Something broke on our side; the log has it under this request_id."
        problem = Problem("internal_error", detail, status=500)
    set_rollback()
    if problem.status_code == 405:
        problem.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    body = problem_body(
        problem.status_code, problem.code, str(problem.detail), path=request.path, errors=problem.errors
    )
    return Response(
        body | problem.members, status=problem.status_code, headers=problem.headers, content_type=CONTENT_TYPE
    )


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return problem_response(request, 404, "not_found", f"There is nothing at {request.path}. See /docs/api/.")


def server_error(request: HttpRequest) -> JsonResponse:
    detail = "Something broke on our side; the log has it under this request_id."
    return problem_response(request, 500, "internal_error", detail)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return problem_response(request, 400, "bad_request", "The request could not be understood.")
