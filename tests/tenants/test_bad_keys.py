"""Floods of bad keys: refused early, in the usual words, and never in the way of a good key."""

import io
import json
import secrets
import sys
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tenants import bad_keys, keys, services
from tenants.bad_keys import EACH, FAILURES, SLOWLY, WINDOW, Failures, box_of
from tenants.key_cache import KEYS
from tenants.known_ids import ALARM, IN_VAIN, KnownIds
from tenants.models import ApiKey
from tests.conftest import client_with
from tests.tenants.test_authentication import with_another_secret
from traffic_control.wsgi import application

ME = "/v1/tenants/me/"
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Time as the counts and the ids see it."""
    clock = Clock()
    monkeypatch.setattr(bad_keys, "FAILURES", Failures(clock=clock))
    monkeypatch.setattr(KEYS, "known", KnownIds(clock=clock))
    return clock


def invented() -> str:
    """As ours look, and nobody's."""
    return with_another_secret(f"sk_live_{secrets.token_hex(8)}_")


@pytest.fixture(autouse=True)
def _keep_connection() -> Iterator[None]:
    """A request would close the connection that holds the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Answer:
    """Of the application as a web server calls it; `statements` are those of this request."""

    def __init__(self, raw: str, *, address: str = HERE, path: str = ME, **meta: str) -> None:
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "REMOTE_ADDR": address,
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
            "HTTP_X_API_KEY": raw, **meta,
        }  # fmt: skip
        response = application(environ, self._start)
        self.is_early = isinstance(response, list)
        self.text = b"".join(response)
        self.body = json.loads(self.text) if "json" in self.headers["Content-Type"] else {}

    def _start(self, status: str, headers: list[tuple[str, str]], *_: object) -> None:
        self.status, self.headers = int(status[:3]), dict(headers)


def test_first_bad_keys_get_401_and_the_rest_429(db, clock):
    answers = [Answer("nonsense") for _ in range(EACH + 3)]

    assert [answer.status for answer in answers] == [401] * EACH + [429] * 3
    assert {answer.body["code"] for answer in answers[EACH:]} == {"too_many_bad_keys"}
    assert {answer.headers["Retry-After"] for answer in answers[EACH:]} == {str(int(WINDOW))}
    assert [answer.is_early for answer in answers[SLOWLY:]] == [True] * (EACH + 3 - SLOWLY)


def test_early_401_says_what_the_late_one_says(db, clock):
    late = Answer("nonsense", HTTP_X_REQUEST_ID="r-1")
    for _ in range(SLOWLY):
        Answer("nonsense")

    early = Answer("nonsense", HTTP_X_REQUEST_ID="r-1")

    assert (late.is_early, early.is_early) == (False, True)
    assert (early.status, early.body) == (late.status, late.body)
    assert {**early.headers, "Allow": "GET, PATCH, HEAD, OPTIONS"} == late.headers


def test_good_key_is_let_in_from_where_bad_ones_come(acme, clock):
    for _ in range(EACH + 3):
        Answer(invented())

    assert [Answer(acme.api_key).status for _ in range(3)] == [200] * 3
    assert Answer("", HTTP_AUTHORIZATION=f"Bearer {acme.api_key}").status == 200


def test_other_addresses_are_told_401(db, clock):
    for _ in range(EACH + 3):
        Answer("nonsense")
    clock.now += 1

    assert (Answer("nonsense").status, Answer("nonsense", address=ELSEWHERE).status) == (429, 401)


def test_after_the_window_it_begins_anew(db, clock):
    for _ in range(EACH + 3):
        Answer("nonsense")
    clock.now += WINDOW - 1
    still = Answer("nonsense")
    clock.now += 1

    assert (still.status, still.headers["Retry-After"]) == (429, "1")
    assert Answer("nonsense").status == 401


def test_what_is_open_stays_open_while_keys_are_refused(db, clock):
    for _ in range(EACH + 3):
        Answer("nonsense")

    bearer = {"HTTP_AUTHORIZATION": "Bearer nonsense"}
    assert Answer("nonsense", path="/livez").status == 200
    assert Answer("", path="/metrics/", **bearer).body["detail"].startswith("Metrics need")
    assert Answer("", path="/v1/callbacks/x/", REQUEST_METHOD="POST", **bearer).body["code"] == "not_found"
    assert Answer("").body["code"] == "not_authenticated"


def test_bad_keys_from_everywhere_are_refused_early(db, clock):
    answers = [Answer(invented(), address=f"203.0.113.{n}") for n in range(IN_VAIN + 30)]

    assert {answer.status for answer in answers} == {401}
    assert [answer.is_early for answer in answers[IN_VAIN + 1 :]] == [True] * 29


def test_flood_of_invented_ids_costs_two_statements_a_second(acme, clock, django_assert_num_queries):
    for _ in range(IN_VAIN + 1):
        Answer(invented())  # raises the alarm, and has the ids read

    with django_assert_num_queries(2):
        for _ in range(1_200):
            Answer(invented())
            clock.now += 0.001


def test_wrong_secrets_of_known_and_revoked_keys_are_refused_early(acme, clock, django_assert_num_queries):
    gone, revoked = keys.issue(acme.tenant, "live", name="Gone", scopes=["read"])
    services.revoke(gone)
    wrong = with_another_secret(acme.api_key)
    for raw in (wrong, revoked) * EACH:
        Answer(raw)

    with django_assert_num_queries(0):
        assert [(Answer(raw).is_early, Answer(raw).status) for raw in (wrong, revoked)] == [(True, 429)] * 2


def test_key_made_elsewhere_during_a_flood_is_known_within_half_a_second(acme, clock):
    for _ in range(EACH + 3):
        Answer(invented())
    fresh = keys.issue(acme.tenant, "live", name="Fresh", scopes=["read"])[1]
    KEYS.known._ids.discard(str(keys.public_id_of(fresh)))  # as it is in another process

    at_once = Answer(fresh).status
    clock.now += 0.51

    assert at_once == 429
    assert Answer(fresh).status == 200


def test_key_made_here_during_a_flood_works_at_once(acme, clock):
    for _ in range(EACH + 3):
        Answer(invented())

    assert Answer(keys.issue(acme.tenant, "live", name="Fresh", scopes=["read"])[1]).status == 200


def test_ids_are_forgotten_when_the_flood_is_over(acme, clock):
    for _ in range(IN_VAIN + 1):
        Answer(invented())
    in_alarm = len(KEYS.known._ids)
    clock.now += ALARM + 1

    assert Answer(invented()).status == 401
    assert (in_alarm, len(KEYS.known._ids)) == (2, 0)


def test_id_of_a_key_that_was_deleted_is_looked_for_once(acme, clock, django_assert_num_queries):
    for _ in range(IN_VAIN + 1):
        Answer(invented())
    ApiKey.objects.all().delete()

    with django_assert_num_queries(1):
        assert [Answer(acme.api_key).status for _ in range(3)] == [401] * 3


def test_counts_take_no_more_memory_for_a_million_addresses():
    failures = Failures()
    before = sys.getsizeof(failures._boxes)

    for number in range(1_000_000):
        failures.note(f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert sys.getsizeof(failures._boxes) == before < 150_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("not:an:address", "not:an:address", True),
        (HERE, ELSEWHERE, False),
    ],
)
def test_network_counts_for_ipv6(one, other, same):
    assert (box_of(one) == box_of(other)) is same


def test_address_is_the_one_that_the_proxy_saw(db, clock, settings):
    settings.BEHIND_PROXY, settings.SECURE_SSL_REDIRECT = True, False
    for _ in range(EACH + 3):
        Answer("nonsense", HTTP_X_FORWARDED_FOR=f"10.9.9.9, {ELSEWHERE}")
    clock.now += 1

    seen = [Answer("nonsense", HTTP_X_FORWARDED_FOR=f"10.9.9.9, {one}").status for one in (ELSEWHERE, HERE)]

    assert seen == [429, 401]


def test_view_refuses_too_many_also_where_nothing_stands_before_it(acme):
    api = client_with("nonsense")
    statuses = [api.get(ME).status_code for _ in range(EACH + 1)]

    assert statuses == [401] * EACH + [429]
    FAILURES.forget()
    assert api.get(ME).status_code == 401
