"""The console's pages for the ledger. Importing registers them."""

from delivery_gateway.admin import captured, dead_letters, notifications, replay_jobs, suppressions

__all__ = ["captured", "dead_letters", "notifications", "replay_jobs", "suppressions"]
