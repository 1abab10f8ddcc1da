"""A worker whose watchdog looks ten times as often, so that no test waits as long as an operator would."""

import sys

from celery.__main__ import main

from traffic_control import watchdog

watchdog.EVERY, watchdog.IDLE, watchdog.BUSY, watchdog.LAST_WORDS = 0.5, 3.0, 6.0, 2.0

if __name__ == "__main__":
    sys.exit(main())
