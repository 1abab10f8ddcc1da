"""Ways round the check of an address: redirects, names that change, connections that are kept, queues, the console.

127.0.0.2 plays the public internet and is all that is permitted; the canary is at 127.0.0.1 and ::1, on the same port.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from delivery_gateway.egress import connections
from delivery_gateway.models import NotificationLog
from monitoring.doctor import integrations as doctor
from notification_processor import dispatching
from tenants.services import Registration
from tests.admin.conftest import logged_in
from tests.corpora.conftest import Canary
from tests.corpora.destinations import DESTINATIONS, REDIRECTS
from tests.peers.http_server import Answer, HttpPeer, Request
from tests.peers.smtp import SmtpPeer

HOOKS = ("webhook", "slack", "teams")
PUBLIC, PERMITTED = "127.0.0.2", ["127.0.0.2/32"]


class Redirecting(HttpPeer):
    """Sends everybody on, in every way there is."""

    to, status = "", 302

    def answer(self, request: Request) -> Answer:
        refresh = {"Refresh": f"0; url={self.to}", "Link": f"<{self.to}>; rel=canonical", "Content-Type": "text/html"}
        page = f'<meta http-equiv="refresh" content="0; url={self.to}"><script>location="{self.to}"</script>'
        return Answer(self.status, page, {"Location": self.to} | refresh)


@pytest.fixture
def live(transactional_db: None, live: APIClient, settings: Any, canary: Canary) -> APIClient:
    settings.EGRESS_ALLOW, settings.RETRY_SCHEDULE = PERMITTED, [1.0, 2.0]
    return live


@pytest.fixture
def public(canary: Canary) -> Iterator[Redirecting]:
    with Redirecting(host=PUBLIC, port=canary.port) as peer:
        peer.status = 200
        yield peer


def sent(live: APIClient, channel: str, to: str) -> NotificationLog:
    answer = live.post("/v1/notify/", {"channel": channel, "to": to, "body": "Hello"})
    assert answer.status_code == 202, answer.content
    return NotificationLog.objects.get(pk=answer.json()["id"])


def later(seconds: float) -> None:
    dispatching.tick(now=timezone.now() + timedelta(seconds=seconds))


def test_no_message_and_no_customer_leads_to_a_refused_place(live: APIClient, canary: Canary) -> None:
    urls = [url.replace("{port}", str(canary.port)) for urls in DESTINATIONS.values() for url in urls]
    urls = [url for url in urls if "\x00" not in url]
    sends = [{"channel": channel, "to": url, "body": "x"} for channel, url in zip(cycle(HOOKS), urls, strict=False)]
    people = [
        {"user_id": f"u{at}", "addresses": {channel: url}}
        for at, (channel, url) in enumerate(zip(cycle(HOOKS), urls, strict=False))
    ]
    event = {"event_type": "order.paid", "recipients": [one["user_id"] for one in people], "channels": [*HOOKS]}

    answers = [live.post("/v1/notify/batch/", {"notifications": sends})]
    answers.append(live.post("/api/v1/customers/batch/", {"customers": people}))
    answers.append(live.post("/api/events/", event))

    assert [answer.status_code for answer in answers] == [202, 200, 202]
    tried = NotificationLog.objects.exclude(to="")
    codes = set(tried.values_list("status", "error_code"))
    assert codes == {("failed", "egress_refused"), ("failed", "invalid_address")}
    assert tried.count() > 200
    assert (canary.tried, canary.connections) == ([], 0)


@pytest.mark.parametrize("channel", HOOKS)
def test_no_redirect_is_followed(channel: str, live: APIClient, canary: Canary, public: Redirecting) -> None:
    hosts = ("127.0.0.1", "[::1]", "loopback.example")
    codes = []
    for status, host in zip((*REDIRECTS, 300, 304), cycle(hosts), strict=False):
        public.status, public.to = status, f"http://{host}:{canary.port}/"
        codes.append(sent(live, channel, public.url).error_code)

    assert codes == ["redirect"] * 7
    assert (len(public.received), canary.connections) == (7, 0)


def test_a_page_that_sends_on_is_an_answer(live: APIClient, canary: Canary, public: Redirecting) -> None:
    public.to = f"http://127.0.0.1:{canary.port}/"

    assert sent(live, "webhook", public.url).status == "sent"
    assert canary.connections == 0


def test_a_name_is_asked_once_for_each_connection(live: APIClient, canary: Canary, public: Redirecting) -> None:
    canary.names.answers["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]

    row = sent(live, "webhook", f"http://rebinding.example:{canary.port}/")

    assert row.status == "sent"
    assert (canary.names.asked, canary.connections) == (["rebinding.example"], 0)


def test_a_name_that_turns_to_loopback_between_two_tries_is_refused(
    live: APIClient, canary: Canary, public: Redirecting
) -> None:
    canary.names.answers["rebinding.example"] = [[PUBLIC], ["127.0.0.1", "::1"]]
    public.script("reset")

    row = sent(live, "webhook", f"http://rebinding.example:{canary.port}/")
    later(2)

    row.refresh_from_db()
    assert (row.status, row.error_code, row.attempts) == ("failed", "egress_refused", 2)
    assert (len(public.received), canary.connections) == (1, 0)


def test_a_kept_connection_stays_where_it_was_checked_and_not_for_long(
    live: APIClient, canary: Canary, public: Redirecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary.names.answers["moving.example"] = [[PUBLIC], ["127.0.0.1"]]
    url = f"http://moving.example:{canary.port}/"

    codes = [sent(live, "webhook", url).error_code, sent(live, "webhook", url).error_code]
    monkeypatch.setattr(connections, "MAX_AGE", 0.0)
    codes.append(sent(live, "webhook", url).error_code)

    assert codes == ["", "", "egress_refused"]
    assert (public.connections, len(public.received), canary.connections) == (1, 2, 0)


def test_a_mail_server_that_turns_to_loopback_is_refused(live: APIClient, canary: Canary) -> None:
    canary.names.answers["mail.example"] = [[PUBLIC], ["127.0.0.1"]]
    config = {"host": "mail.example", "port": canary.port}
    assert live.post("/v1/integrations/", {"channel": "email", "config": config}).status_code == 201
    with SmtpPeer(host=PUBLIC, port=canary.port) as server:
        first = sent(live, "email", "ada@example.com")
        server.drop_idle()
        second = sent(live, "email", "ada@example.com")

        assert (first.status, second.error_code) == ("sent", "egress_refused")
        assert (len(server.received), canary.connections) == (1, 0)


def test_the_doctor_reaches_no_refused_place_either(live: APIClient, canary: Canary) -> None:
    url = f"http://loopback.example:{canary.port}/"
    made = [live.post("/v1/integrations/", {"channel": channel, "config": {"url": url}}) for channel in HOOKS]
    made.append(live.post("/v1/integrations/", {"channel": "email", "config": {"host": "::1", "port": canary.port}}))
    assert {answer.status_code for answer in made} == {201}

    told = [verdict for check in doctor.checks() if check.name.startswith("acme ") for verdict in check.question()]

    assert sum("egress_refused" in verdict.found for verdict in told) == len(made)
    assert canary.connections == 0


def test_what_the_console_takes_leads_nowhere_else(live: APIClient, acme: Registration, canary: Canary) -> None:
    staff = logged_in(User.objects.create_superuser("root", password="correct horse battery"))
    page = reverse("admin:tenants_integration_add") + "?channel=slack"
    form = {"tenant": acme.tenant.pk, "url": f"http://loopback.example:{canary.port}/", "is_default": "on"}
    assert staff.post(page, form).status_code == 302

    live.post("/api/events/", {"event_type": "order.paid", "user_id": "ann", "channels": ["slack"]})

    assert [*NotificationLog.objects.values_list("status", "error_code")] == [("failed", "egress_refused")]
    assert canary.connections == 0
