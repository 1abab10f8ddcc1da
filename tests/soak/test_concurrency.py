"""200 calls at once to a provider that is slow; `make test` has 40."""

import pytest

from tests.flow.test_concurrency import send

pytestmark = pytest.mark.timeout(120)


def test_one_process_has_200_calls_out_at_once_to_a_provider_that_is_slow(acme, tmp_path):
    send(acme, tmp_path, calls=200, messages=700)
