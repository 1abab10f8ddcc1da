"""Sends within the request, as Apprise's API does: nothing to lose, and nothing to try again."""

from bench.plain.settings import *  # noqa: F403

ROOT_URLCONF = "bench.peers.synchronous_urls"
