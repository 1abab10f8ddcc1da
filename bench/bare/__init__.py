"""What Django and DRF themselves cost: one view that validates a body and commits one row, and nothing else.

It is served as Traffic Control is (granian, as many processes and threads): the difference is what promises cost.
"""
