"""Judges what is on record: what clients were told, what the ledger says, and what providers say they received."""
