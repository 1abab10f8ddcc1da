"""What `/metrics/` tells of live inboxes: how many are open, what they were told, and why they ended."""

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from inbox import issuing
from inbox.stream.open_streams import open_streams
from monitoring.exposition import exposition
from tests.flow.inbox.conftest import arrive
from tests.flow.inbox.streaming import Listener
from tests.flow.stack import wait_until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="a process beside the test needs PostgreSQL"),
    pytest.mark.timeout(60),
]
PREFIX = "traffic_control_inbox_"


def scraped():
    families = text_string_to_metric_families(exposition("text/plain")[0].decode())
    found = [sample for family in families for sample in family.samples if sample.name.startswith(PREFIX)]
    return {(one.name.removeprefix(PREFIX), *one.labels.values()): one.value for one in found}


def test_streams_are_counted_while_they_are_open_and_as_they_end(running, acme, ann, token):
    running.extra["INBOX_STREAMS"] = "2"
    url = running.streams()
    with Listener(url, token) as one, Listener(url, token) as two:
        one.until(1), two.until(1)
        arrive(ann)
        one.until(2), two.until(2)
        with Listener(url, token) as third:
            assert third.status == 503
        wait_until(lambda: scraped().get(("streams",)) == 2, seconds=10, what="the gauge of open streams")
        issuing.revoke(acme.tenant, "ann")
        wait_until(lambda: one.is_over and two.is_over, seconds=10, what="the end of the streams")

    ended = {("streams_ended_total", "refused"): 2.0, ("streams_ended_total", "full"): 1.0}
    wait_until(lambda: ended.items() <= scraped().items(), seconds=10, what="the counters of ends")
    assert scraped()["stream_events_total",] == 6.0  # twice: counts, a message, goodbye
    wait_until(lambda: open_streams() == 0, seconds=10, what="the gauge's return to zero")
