"""How many requests a tenant may make: API_RATE_LIMIT, told in the RateLimit headers and, once it is used up, with 429.

Follows the IETF draft "RateLimit header fields for HTTP" (-10). A request costs one, a batch too; all keys of a tenant
share one quota. Known limit: it is counted in Redis, and while that is away every request passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tenants.models import Tenant
from traffic_control.errors import Problem
from traffic_control.purse import Purse
from traffic_control.rate_limit import Allowance, Limit, parse_limit

POLICY = "tenant"
_purse = Purse()
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


@dataclass(frozen=True, slots=True)
class Quota:
    """What a request has left to its tenant."""

    limit: Limit
    allowance: Allowance

    @property
    def seconds(self) -> int:
        """Until more of the quota is there."""
        return max(1, ceil(self.allowance.more_in))

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self.limit.quota};w={self.limit.window}',
            "RateLimit": f'"{POLICY}";r={self.allowance.remaining};t={self.seconds}',
        }


def charge(request: HttpRequest, tenant: Tenant) -> None:
    """Counts the request once. Raises Problem 429 `rate_limited` when the tenant has used up its quota."""
    limit = parse_limit(settings.API_RATE_LIMIT)
    if limit is None or hasattr(request, "quota"):
        return
    allowance = _purse.spend(f"api:{tenant.id}", limit)
    if allowance is None:
        return
    quota = request.quota = Quota(limit, allowance)  # type: ignore[attr-defined]
    if not allowance.is_granted:
        raise refused(quota)


def refused(quota: Quota) -> Problem:
    per = f"{quota.limit.quota:,} requests in {quota.limit.window:,} s"
    detail = f"This tenant may make {per}. Send the same request again in {quota.seconds} s; batch calls count as one."
    return Problem(
        "rate_limited",
        detail,
        status=429,
        headers={"Retry-After": str(quota.seconds)},
        members={"type": QUOTA_EXCEEDED, "violated-policies": [POLICY]},
    )


class QuotaHeadersMiddleware:
    """Tells on every answer to a charged request what is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        quota: Quota | None = getattr(request, "quota", None)
        if quota is not None and not 300 <= response.status_code < 400:
            for name, value in quota.headers().items():
                response[name] = value
        return response
