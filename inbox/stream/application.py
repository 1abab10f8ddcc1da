"""The ASGI application of the process that streams: `granian --interface asgi inbox.stream.application:application`.

It serves one path and does so without Django's middleware, which would give each stream a thread while it opens, and
keep its request in memory for as long as it lasts.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")
django.setup(set_prefix=False)

import orjson  # noqa: E402 - settings first
from django.conf import settings  # noqa: E402

from inbox import access  # noqa: E402
from inbox.stream.frames import OPENING, PING  # noqa: E402
from inbox.stream.hub import Full, Hub, Stream  # noqa: E402
from inbox.stream.listening import Listener  # noqa: E402
from inbox.stream.reading import Reader  # noqa: E402
from inbox.tokens import READ  # noqa: E402
from traffic_control.errors import CONTENT_TYPE, Problem, problem_body, problem_of  # noqa: E402
from traffic_control.metrics import STREAM_EVENTS, count  # noqa: E402

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = "/v1/inbox/stream"
LONGEST = 600.0  # seconds; then the client comes again, with a token that is looked at again
HEARTBEAT = 15.0  # seconds
VERSION = re.compile(r"\d{1,18}")
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class Application:
    """`hub` is made in the event loop that serves."""

    def __init__(self) -> None:
        self.hub: Hub | None = None
        self._door = Reader("inbox-door")
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            match (await receive())["type"]:
                case "lifespan.startup":
                    self.start()
                    await send({"type": "lifespan.startup.complete"})
                case "lifespan.shutdown":
                    self.stop()
                    await send({"type": "lifespan.shutdown.complete"})
                    return

    def start(self) -> Hub:
        """In the loop that serves, at the latest with the first stream."""
        if self.hub is None:
            self.hub = Hub(listener=Listener(settings.REDIS_URL), most=settings.INBOX_STREAMS)
            self._running = asyncio.get_running_loop().create_task(self.hub.run())
            self._running.add_done_callback(self._ended)
        return self.hub

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nothing would be told any more: pages come again, and find a new hub."""
        if not task.cancelled() and self.hub is not None:
            log.error("the hub broke", exc_info=task.exception())
            self.hub.end_all("restart")
            self.hub = None

    def stop(self) -> None:
        if self.hub is not None and self._running is not None:
            self.hub.end_all("restart")
            self._running.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        meta = meta_of(scope)
        path = scope["path"].rstrip("/")
        try:
            if path == "/livez":
                await answer(send, 200, {"Content-Type": "text/plain"}, b"ok")
            elif path != PATH:
                raise Problem("not_found", f"This process streams {PATH}/ and nothing else.", status=404)
            elif scope["method"] == "OPTIONS":
                await answer(send, 204, access.PREFLIGHT | cors(meta), b"")
            elif scope["method"] != "GET":
                raise Problem("method_not_allowed", "A stream is read with GET.", status=405, headers={"Allow": "GET"})
            else:
                await self._stream(meta, receive, send)
        except Exception as exc:
            await refuse(send, exc, path=scope["path"], headers=cors(meta))

    async def _stream(self, meta: dict[str, str], receive: Receive, send: Send) -> None:
        subscriber = await self._door.ask(access.admit, meta)
        check(subscriber, meta)
        last = meta.get("HTTP_LAST_EVENT_ID", "")
        until = min(subscriber.claims.expires + 1 - time.time(), LONGEST) + time.monotonic()
        stream = Stream(subscriber, int(last) if VERSION.fullmatch(last) else None, until)
        hub = self.start()
        try:
            await hub.open(stream)
        except Full:
            detail = "This process holds as many streams as it takes. Poll /v1/inbox/counts/ meanwhile."
            raise Problem("too_many_streams", detail, status=503, headers={"Retry-After": "30"}) from None
        watcher = asyncio.create_task(watch(receive, stream))
        try:
            await start(send, 200, HEADERS | cors(meta))
            await send({"type": "http.response.body", "body": OPENING, "more_body": True})
            await pump(stream, send)
        finally:
            watcher.cancel()
            await hub.close(stream)


def check(subscriber: access.Subscriber, meta: dict[str, str]) -> None:
    """Raises Problem 403, as the other calls of the inbox do."""
    access.check_origin(meta.get("HTTP_ORIGIN", ""), subscriber.tenant, own=own_origin(meta))
    if READ not in subscriber.claims.scopes:
        raise Problem("missing_scope", f'This call needs a token with the scope "{READ}".', status=403)


def own_origin(meta: dict[str, str]) -> str:
    """Behind a proxy, what it says. A page can set neither header."""
    scheme = meta.get("HTTP_X_FORWARDED_PROTO", "") if settings.BEHIND_PROXY else "http"
    return f"{scheme}://{meta.get('HTTP_HOST', '')}"


async def watch(receive: Receive, stream: Stream) -> None:
    """Until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.drop()


async def pump(stream: Stream, send: Send) -> None:
    while True:
        left = stream.until - time.monotonic()
        if left <= 0:
            stream.end("expired" if stream.subscriber.claims.expires <= time.time() + 1 else "time")
        frames = await stream.taken(min(HEARTBEAT, max(left, 0.01)))
        is_over = stream.is_closing and not stream.frames
        if frames or not is_over:
            await send({"type": "http.response.body", "body": b"".join(frames) or PING, "more_body": True})
            if frames:
                count(STREAM_EVENTS, by=len(frames))
        if is_over:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return


def meta_of(scope: Scope) -> dict[str, str]:
    """The headers, named as WSGI names them."""
    return {
        "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
        for name, value in scope["headers"]
    }


def cors(meta: dict[str, str]) -> dict[str, str]:
    origin = meta.get("HTTP_ORIGIN")
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin, Authorization"} if origin else {}


async def refuse(send: Send, exc: Exception, *, path: str, headers: dict[str, str]) -> None:
    problem = problem_of(exc)
    if problem is None:
        log.error("stream failed: %s", type(exc).__name__, exc_info=exc)
        problem = Problem("internal_error", "Something broke on our side; the log has it.", status=500)
    body = orjson.dumps(problem_body(problem.status_code, problem.code, str(problem.detail), path=path))
    about = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"} | problem.headers | headers
    await answer(send, problem.status_code, about, body)


async def answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    await start(send, status, headers)
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def start(send: Send, status: int, headers: dict[str, str]) -> None:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


application = Application()
