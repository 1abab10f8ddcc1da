"""What the console opens with: how it goes, and what to look at first. Read from sums, never from the ledger."""
