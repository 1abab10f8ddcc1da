"""One-click unsubscribe (RFC 8058): the page behind the links in mail, and what comes of them."""
