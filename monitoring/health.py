"""Is it alive, is it ready, is it well. Unauthenticated, without secrets; each check ends within two seconds."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse

from monitoring import checks
from monitoring.checks import EAGER, FAIL, PASS, UNKNOWN, UNUSED, WARN, Finding
from traffic_control import __version__
from traffic_control.scope import across_tenants

NO_STORE = {"Cache-Control": "no-store"}
CALM = {PASS, EAGER, UNUSED, UNKNOWN}


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain", headers=NO_STORE)


def readyz(request: HttpRequest) -> JsonResponse:
    """503 while requests would fail: no database, or not its tables. Without Redis intake still works: a warning."""
    found = {"database": checks.database(), "redis": checks.redis()}
    if found["database"].status == PASS:
        found["migrations"] = checks.migrations()
    is_ready = all(found[name].status == PASS for name in ("database", "migrations") if name in found)
    return _answer(found, is_failed=not is_ready)


@across_tenants()
def health(request: HttpRequest) -> JsonResponse:
    """The whole system. 503 when the database is away, or neither a worker nor a dispatcher is heard of.

    For people and monitors: a web process is as ready without workers as with them, so probes ask /readyz.
    """
    found = {
        "database": checks.database(),
        "partitions": checks.partitions(),
        "backlog": checks.backlog(),
        "redis": checks.redis(),
        "celery": checks.celery(),
        "dispatcher": checks.dispatcher(),
    }
    is_deserted = found["celery"].status == found["dispatcher"].status == FAIL
    return _answer(found, is_failed=is_deserted or found["database"].status == FAIL)


def redis(request: HttpRequest) -> JsonResponse:
    return _one(checks.redis())


def celery(request: HttpRequest) -> JsonResponse:
    return _one(checks.celery())


def _answer(found: Mapping[str, Finding], *, is_failed: bool) -> JsonResponse:
    is_calm = all(finding.status in CALM for finding in found.values())
    body = {
        "status": FAIL if is_failed else PASS if is_calm else WARN,
        "checks": {name: finding.as_json() for name, finding in found.items()},
        "version": __version__,
    }
    return JsonResponse(body, status=503 if is_failed else 200, headers=NO_STORE)


def _one(finding: Finding) -> JsonResponse:
    return JsonResponse(finding.as_json(), status=503 if finding.status == FAIL else 200, headers=NO_STORE)
