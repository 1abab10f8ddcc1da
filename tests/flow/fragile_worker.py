"""A worker that a message can kill: POISON takes its process with it, while others are on their way."""

import signal
import sys
import time

from celery.__main__ import main

from delivery_gateway.channels.webhook import Webhook
from delivery_gateway.contract import Message, Receipt

POISON = "poison"
_send = Webhook.send


def send(self: Webhook, message: Message) -> Receipt:
    if message.body == POISON:
        time.sleep(0.1)
        signal.raise_signal(signal.SIGSEGV)
    return _send(self, message)


if __name__ == "__main__":
    Webhook.send = send  # type: ignore[method-assign]
    sys.exit(main())
