"""`manage.py dispatcher`: keeps time. Run one or more beside the workers."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from notification_processor import dispatching
from traffic_control.heartbeat import dispatcher_beats
from traffic_control.outage import is_outage

log = logging.getLogger("notification_processor.dispatcher")


class Command(BaseCommand):
    help = "Promotes due notifications, frees dropped ones and wakes workers, once a second, until SIGTERM."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between rounds")

    def handle(self, *args: Any, interval: float, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        log.info("dispatcher started")
        while not stop.is_set():
            self._round()
            stop.wait(interval)
        log.info("dispatcher stopped")

    @staticmethod
    def _round() -> None:
        try:
            dispatching.tick()
            dispatcher_beats()
        except Exception as exc:
            if is_outage(exc):
                log.warning("the database does not answer (%s); trying again", type(exc).__name__)
            else:
                log.exception("dispatcher round failed; trying again")
            close_old_connections()
