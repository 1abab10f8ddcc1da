"""Breaks everything the product stands on while it works, and lets `manage.py audit_ledger` judge what became of it."""
