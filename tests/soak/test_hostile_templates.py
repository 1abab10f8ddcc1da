"""All of the hostile templates, through web and worker in processes of their own; `make test` takes a sixth of them."""

import pytest

from tests.flow.test_hostile_templates_at_work import TEXTS, running, strike

__all__ = ("running",)  # the fixture
pytestmark = pytest.mark.timeout(600)


def test_hostile_templates_hurt_neither_processes_nor_neighbours(acme, running):
    strike(acme, running, TEXTS)
