"""Where the platform may go, as plain values: made once from the settings, asked at every new connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from delivery_gateway.contract import Misconfigured
from delivery_gateway.egress.addresses import Address, Network, is_within, refusal
from delivery_gateway.egress.destination import Destination, Unreadable, read_url

WEB_PORTS = frozenset({80, 443, 8443})
SMTP_PORTS = frozenset({25, 465, 587, 2525})


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """`allow`: networks that tenant-set hosts may lie in although they are not public, there on any port."""

    allow: tuple[Network, ...] = ()
    allow_http: bool = False
    resolve_seconds: float = 3.0
    connect_seconds: float = 3.0
    total_seconds: float = 15.0
    reply_bytes: int = 64 * 1024

    @classmethod
    def from_settings(cls, settings: Any) -> "EgressPolicy":
        networks = tuple(ip_network(cidr.strip()) for cidr in settings.EGRESS_ALLOW)
        return cls(allow=networks, allow_http=settings.EGRESS_ALLOW_HTTP)

    def destination(self, url: str) -> Destination:
        """The parts of `url`. Raises Misconfigured when its form or its scheme is refused."""
        try:
            found = read_url(url)
        except Unreadable as error:
            raise refused(f"The URL {error}.") from None
        if found.scheme == "http" and not self.allow_http:
            hint = "Use https, or let the operator set EGRESS_ALLOW_HTTP."
            raise refused(f"{found.host} would be reached over plain http. {hint}")
        return found

    def check(self, host: str, port: int, addresses: Sequence[Address], *, ports: frozenset[int]) -> None:
        """Raises Misconfigured unless every one of `addresses` may be connected to at `port`."""
        for address in addresses:
            if is_within(address, self.allow):
                continue
            if kind := refusal(address):
                hint = "If it is meant, the operator adds its network to EGRESS_ALLOW."
                raise refused(f"{host} is {kind}, or resolves to one. {hint}")
            if port not in ports:
                known = ", ".join(str(p) for p in sorted(ports))
                raise refused(f"{host} would be reached at port {port}; only {known} are open outside EGRESS_ALLOW.")


def refused(detail: str) -> Misconfigured:
    return Misconfigured(detail, code="egress_refused")
