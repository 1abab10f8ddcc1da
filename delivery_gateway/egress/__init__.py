"""The only door outwards: whatever a tenant names, a URL or an SMTP host, is reached through here or not at all.

Rules: resolve once, check every address, connect to a checked address and verify the peer; TLS always verified; no
redirects, no proxies from the environment, no decompression; wall-clock deadlines; replies capped.
"""

from functools import lru_cache

from delivery_gateway.egress.client import Dial, Egress
from delivery_gateway.egress.connections import Socket, is_dropped
from delivery_gateway.egress.policy import SMTP_PORTS, WEB_PORTS, EgressPolicy
from delivery_gateway.egress.replies import Reply, clamp_retry_after, retry_after_seconds

__all__ = (
    "SMTP_PORTS",
    "WEB_PORTS",
    "Dial",
    "Egress",
    "EgressPolicy",
    "Reply",
    "Socket",
    "clamp_retry_after",
    "door",
    "is_dropped",
    "retry_after_seconds",
)


@lru_cache(maxsize=8)
def door(policy: EgressPolicy) -> Egress:
    """The process's one Egress for `policy`: all channels share its connections."""
    return Egress(policy)
