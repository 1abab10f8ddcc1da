"""Minutes under constant load. Left out of `make test` (see `norecursedirs`); `make soak` runs them, one at a time."""

import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _real_database() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("workers beside the test need PostgreSQL: use make soak")
