"""The page on which customers say what they want to hear, behind a signed link and without a login."""
