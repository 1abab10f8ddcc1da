"""Request ids and the ids that log lines carry. Addresses, bodies and secrets never get here."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

from traffic_control.ids import uuid7

_request_id: ContextVar[str] = ContextVar("request_id", default="")
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")
SECRET_PATH = re.compile(r"(/u/|/v1/callbacks/)[^/\s]+")
IDS = ("tenant", "event", "notification", "channel", "integration", "stage", "count", "outcome")


def current_request_id() -> str:
    return _request_id.get()


def request_id_of(meta: Mapping[str, Any]) -> str:
    """What the caller calls this request, or a new name."""
    given = meta.get("HTTP_X_REQUEST_ID", "")
    return given if ACCEPTABLE.fullmatch(given) else uuid7().hex


class RequestIdMiddleware:
    """Takes the caller's X-Request-ID when it is well formed, makes one otherwise, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.META)
        token = _request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _request_id.reset(token)
        response["X-Request-ID"] = request_id
        return response


class ContextFilter(logging.Filter):
    """Collects the ids of a log record: `log.info("sent", extra={"notification": id})`."""

    def filter(self, record: logging.LogRecord) -> bool:
        ids = {name: str(value) for name in IDS if (value := getattr(record, name, None)) is not None}
        if request_id := current_request_id():
            ids["request_id"] = request_id
        record.ids = ids
        record.context = " ".join(f"{name}={value}" for name, value in ids.items())
        return True


class SecretPathFilter(logging.Filter):
    """Django logs the paths of requests that fail; some paths are secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(SECRET_PATH.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
            **getattr(record, "ids", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
