"""`manage.py doctor`: looks at an install from the inside, changes nothing, and says what to do next."""
