"""A made-up day of two shops, the same each time but for the clock: to look at the console, and to test it."""
