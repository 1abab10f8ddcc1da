"""Pages for anybody with a link: nothing is loaded, framed, indexed or kept, and the link is told to nobody."""

import hashlib
from base64 import b64encode


def headers_with(style: str) -> dict[str, str]:
    """Of a page whose only style is this `<style>` element."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "no-store",
    }
