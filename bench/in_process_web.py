"""`bench.in_process` for a web server."""

from bench import in_process
from traffic_control.wsgi import application

__all__ = ["application", "in_process"]
