"""The channel behind test keys: nothing leaves. Simulated recipients act out what real ones may do."""

import time
from dataclasses import dataclass

from delivery_gateway.contract import Channel, Message, Misconfigured, Receipt, RecipientGone, Transient

BOUNCES = frozenset({"bounce@sim.test"})
SLOW, SLOW_SECONDS = "slow@sim.test", 2.0
FLAKY_FAILURES = 2


@dataclass(frozen=True)
class Sandbox:
    """Answers like a provider; the capture itself is written with the outcome (`delivery_gateway.effects`)."""

    def send(self, message: Message) -> Receipt:
        match message.address:
            case "flaky@sim.test" if message.attempt <= FLAKY_FAILURES:
                raise Transient("Simulated: the provider is out of order.", code="simulated_flaky")
            case "gone@sim.test":
                raise RecipientGone("Simulated: there is no such mailbox.", code="simulated_gone")
            case "misconfigured@sim.test":
                raise Misconfigured("Simulated: the credentials were refused.", code="simulated_misconfigured")
            case address if address == SLOW:
                time.sleep(SLOW_SECONDS)
        return Receipt(provider_id=f"sandbox-{message.id}", detail="captured in the sandbox")

    def close(self) -> None:
        """Holds nothing."""


@dataclass(frozen=True)
class Inbox:
    """In-app messages are delivered by the commit that records them; there is nobody to call."""

    def send(self, message: Message) -> Receipt:
        return Receipt(detail="in the inbox")

    def close(self) -> None:
        """Holds nothing."""


def is_instant(provider: Channel, address: str) -> bool:
    """Whether its answer is a matter of microseconds, so that no thread needs to wait for it."""
    return isinstance(provider, Inbox) or (isinstance(provider, Sandbox) and address != SLOW)
