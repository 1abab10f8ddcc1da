"""A tenant inside the test's transaction, and a client for each kind of key."""

from tests.registered import acme, api, api_with, globex

__all__ = ["acme", "api", "api_with", "globex"]
