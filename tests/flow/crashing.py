"""Forks processes that die where they are told to: `python -m tests.flow.crashing FOLDER API_KEY RECEIVER`.

A line on stdin is one process: {"steps": […], "point": "…"}. It takes the steps and dies at the point in the last of
them; its exit code is the line that is answered. Everything is imported before, so that a process costs milliseconds.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import django

STEPS = ("event", "batch", "send", "tick", "wake", "process", "route", "deliver", "job", "replay")
ROUNDS = 10


class Life:
    """What the processes of an install do, one step each, through the doors that they use."""

    def __init__(self, folder: str, api_key: str, receiver: str) -> None:
        self.told, self.api_key, self.receiver = Path(folder) / "told", api_key, receiver

    def event(self) -> None:
        self._post("/api/events/", {"event_type": "NEWS", "user_id": "ann", "channels": ["in_app"]}, "event")

    def batch(self) -> None:
        one = {"event_type": "NEWS", "user_id": "ann", "channels": ["in_app"]}
        self._post("/api/events/batch/", {"events": [one | {"idempotency_key": f"batch-{n}"} for n in range(2)]}, "")

    def send(self) -> None:
        self._post("/v1/notify/", {"channel": "webhook", "to": self.receiver, "body": "Hello"}, "send")
        self._post("/v1/notify/", {"channel": "in_app", "user_id": "ann", "body": "Hello"}, "send-to-ann")

    def _post(self, path: str, body: object, key: str) -> None:
        from rest_framework.test import APIClient

        api = APIClient(headers={"X-API-KEY": self.api_key}, SERVER_NAME="127.0.0.1")
        answer = api.post(path, body, format="json", headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code in (200, 202), answer.content
        items = answer.json().get("results", [answer.json()])
        with self.told.open("a") as told:
            told.writelines(json.dumps({"id": item["id"], "key": key}) + "\n" for item in items)

    def tick(self) -> None:
        from notification_processor.dispatching import tick

        tick()

    def wake(self) -> None:
        """A thread does it, which has a second."""
        from traffic_control.wakeup import awake, wake

        awake("process")
        wake("process")
        threading.Event().wait(1.0)

    def process(self) -> None:
        from notification_processor.tasks import process_event

        process_event()

    def route(self) -> None:
        from notification_processor.tasks import route_notification

        route_notification()

    def deliver(self) -> None:
        from delivery_gateway.harbour import harbour
        from delivery_gateway.tasks import send_message

        for lane in ("webhook", "in_app"):
            send_message(lane)
        harbour().wait(16)

    def job(self) -> None:
        from delivery_gateway import replays
        from delivery_gateway.models import DeadLetter
        from delivery_gateway.replay_job import ReplayJob
        from delivery_gateway.tasks import replay_letters

        if not ReplayJob.objects.exists():
            tenant_id = DeadLetter.objects.values_list("tenant_id", flat=True)[0]
            replays.start(replays.Choice(tenant_id, {"code": "for_the_job"}))
        replay_letters()

    def replay(self) -> None:
        from delivery_gateway.dead_letters import replay
        from delivery_gateway.models import DeadLetter

        replay(DeadLetter.objects.all())

    def settle(self) -> None:
        """All that is left to do."""
        from delivery_gateway.models import NotificationLog
        from delivery_gateway.retention import UNFINISHED

        for _ in range(ROUNDS):
            for step in (self.tick, self.process, self.route, self.deliver):
                step()
            if not NotificationLog.objects.filter(status__in=UNFINISHED).exists():
                return
            threading.Event().wait(0.1)


def run(life: Life, steps: Sequence[str], point: str) -> None:
    from traffic_control import crash_points

    for step in steps:
        if point and step == steps[-1]:
            crash_points.arm(crash_points.Point(point))
        call: Callable[[], None] = getattr(life, step)
        call()


def fork(life: Life, steps: Sequence[str], point: str) -> int:
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        run(life, steps, point)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def main() -> None:
    django.setup()
    from celery import current_app
    from django.urls import get_resolver

    current_app.loader.import_default_modules()
    assert get_resolver().url_patterns  # imports all views
    life = Life(*sys.argv[1:])
    for line in sys.stdin:
        wanted = json.loads(line)
        print(fork(life, wanted["steps"], wanted["point"]), flush=True)


if __name__ == "__main__":
    main()
