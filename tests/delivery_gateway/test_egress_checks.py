"""What the image refuses to start with."""

import pytest
from django.core.checks import run_checks


def found(*, deploy=True):
    return [message.id for message in run_checks(tags=["settings"], include_deployment_checks=deploy)]


@pytest.mark.parametrize("network", ["127.0.0.1/32", "127.0.0.0/8", "::1/128", "169.254.169.254/32", "0.0.0.0/0"])
def test_loopback_and_link_local_are_refused_in_production(settings, network):
    settings.EGRESS_ALLOW = ["10.0.0.0/8", network]

    assert "delivery.E003" in found()
    assert "delivery.E003" not in found(deploy=False)


def test_private_network_may_be_allowed(settings):
    settings.EGRESS_ALLOW = ["10.0.0.0/8", "fd00::/8"]

    assert not {"delivery.E002", "delivery.E003"} & {*found()}


def test_network_that_is_none_is_named(settings):
    settings.EGRESS_ALLOW = ["10.0.0.0/40"]

    assert "delivery.E002" in found(deploy=False)
