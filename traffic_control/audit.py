"""Who did what: `record(…)` says so, and an app above keeps it, in the same transaction.

Of what was changed, the names of fields are kept, and keyed hashes of the values: enough to see whether two values are
the same, and no use to whoever reads the log for secrets.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from traffic_control.log_context import current_request_id


@dataclass(frozen=True, slots=True)
class Actor:
    """An API key, a user of the console, the system itself, or a stranger (who registers)."""

    kind: str
    id: str = ""
    label: str = ""


SYSTEM, STRANGER = Actor("system"), Actor("anonymous")
API_KEY, USER = "api_key", "user"
RECIPIENT, PROVIDER = "recipient", "provider"  # by a signed link in a mail; by a signed callback
Change = tuple[Any, Any]  # before, after; None where there was or is nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line of the audit log."""

    tenant_id: uuid.UUID
    action: str
    object_kind: str
    object_id: str
    summary: str
    actor: Actor
    ip: str = ""
    request_id: str = ""
    changes: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)


@dataclass(slots=True)
class Caller:
    """Of the request under way."""

    request: HttpRequest
    actor: Actor | None = None


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
_sink: Callable[[Deed], None] = lambda deed: None  # noqa: E731 - nobody listens yet


def plug(sink: Callable[[Deed], None]) -> None:
    """Whoever keeps the log says where it goes, once, at start."""
    global _sink
    _sink = sink


def record(
    action: str,
    *,
    tenant_id: uuid.UUID,
    object_id: Any,
    summary: str,
    changes: Mapping[str, Change] | None = None,
    actor: Actor | None = None,
) -> None:
    """`action` is `<kind of object>.<what was done>`, e.g. `api_key.revoked`. The actor is found out when not given."""
    caller = _caller.get()
    deed = Deed(
        tenant_id=tenant_id,
        action=action,
        object_kind=action.partition(".")[0],
        object_id=str(object_id),
        summary=summary[:500],
        actor=actor or current_actor(),
        ip=ip_of(caller.request) if caller else "",
        request_id=current_request_id(),
        changes={name: _hashes(change) for name, change in (changes or {}).items()},
    )
    _sink(deed)


def acts(kind: str, *, id: Any, label: str) -> None:
    """Says who makes the request under way, once that is known."""
    if caller := _caller.get():
        caller.actor = Actor(kind, str(id), label[:150])


def current_actor() -> Actor:
    """Whoever makes the request under way; the system outside of requests: commands, workers."""
    caller = _caller.get()
    if caller is None:
        return SYSTEM
    user = None if caller.actor else getattr(caller.request, "user", None)
    if user is not None and user.is_authenticated:
        return Actor(USER, str(user.pk), str(user.get_username())[:150])
    return caller.actor or STRANGER


def ip_of(request: HttpRequest) -> str:
    return address_in(request.META)


def address_in(meta: Mapping[str, Any]) -> str:
    """The caller's. Behind a proxy, what it has seen: it appends the address to X-Forwarded-For."""
    seen = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return str(seen or meta.get("REMOTE_ADDR", ""))[:45]


def _hashes(change: Change) -> dict[str, str | None]:
    before, after = change
    return {"before": _hash(before), "after": _hash(after)}


def _hash(value: Any) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8, key=settings.SECRET_KEY.encode()[:64]).hexdigest()


class AuditMiddleware:
    """Lets `record` find the request, and whoever makes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _caller.set(Caller(request))
        try:
            return self.get_response(request)
        finally:
            _caller.reset(token)
