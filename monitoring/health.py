"""Is it alive, is it ready. Unauthenticated, without secrets, each check within a second."""

import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from traffic_control import __version__
from traffic_control.redis_client import redis_client

NO_STORE = {"Cache-Control": "no-store"}


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain", headers=NO_STORE)


def readyz(request: HttpRequest) -> JsonResponse:
    """503 while requests would fail: no database. Without Redis intake still works, so that is a warning only."""
    checks = {"database": _timed(_database)} | ({"redis": _timed(_redis)} if redis_client() else {})
    is_ready = checks["database"]["status"] == "pass"
    status = "fail" if not is_ready else "warn" if any(c["status"] != "pass" for c in checks.values()) else "pass"
    body = {"status": status, "checks": checks, "version": __version__}
    return JsonResponse(body, status=200 if is_ready else 503, headers=NO_STORE)


def _timed(check: Callable[[], None]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        check()
        outcome: dict[str, Any] = {"status": "pass"}
    except (DatabaseError, RedisError, OSError) as exc:
        outcome = {"status": "fail", "error": type(exc).__name__}
    return outcome | {"latency_ms": round((time.perf_counter() - began) * 1000, 1)}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")


def _redis() -> None:
    client = redis_client()
    if client is not None:
        client.ping()
