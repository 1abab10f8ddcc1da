"""How granian is started wherever the product is: what the image's entrypoint says, too.

- `http 1`: else a connection that says nothing is waited for without end, to find out which HTTP it will speak.
- `backpressure` is how many connections a process has at a time, idle ones included; the system keeps `backlog` more.
- `http1-buffer-size` is what one connection may make us keep of its headers.
- `http1-header-read-timeout` (ms) ends connections whose next request does not come: see deploy/nginx/upstream.conf.
"""

GUARDED = [
    *("--http", "1"),
    *("--backlog", "4096"),
    *("--backpressure", "4096"),
    *("--http1-buffer-size", "65536"),
    *("--http1-header-read-timeout", "30000"),
]


STREAMING = [
    *("--http", "1"),
    *("--backlog", "4096"),
    *("--backpressure", "16384"),  # each open stream is one of them
    *("--http1-buffer-size", "65536"),
    *("--http1-header-read-timeout", "30000"),
    *("--workers-kill-timeout", "3"),  # streams never end by themselves
]


def granian_streams(*options: str) -> list[str]:
    """The process that streams inboxes; to follow `python -m`."""
    return ["granian", "--interface", "asgi", "--no-ws", *STREAMING, *options, "inbox.stream.application:application"]


def granian(*options: str) -> list[str]:
    """To follow `python -m`."""
    return ["granian", "--interface", "wsgi", "--no-ws", *GUARDED, *options, "traffic_control.wsgi:application"]
