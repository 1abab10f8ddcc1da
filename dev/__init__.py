"""What `make` does: the environment, real services without root or Docker, the running product, tests and checks.

Nothing here is needed to run the product elsewhere. Until the environment exists only the standard library is used.
"""
