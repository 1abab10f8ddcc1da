"""`Idempotency-Key`, on `POST /api/v1/customers/` as an example of the calls that take it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from threading import Event
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tenants import idempotency
from tenants.models import IdempotencyRecord
from tenants.services import register
from tests.conftest import client_with
from user_preferences import customers
from user_preferences.models import Customer

PATH = "/api/v1/customers/"
ANN = {"user_id": "ann", "name": "Ann"}
BEN = {"user_id": "ben", "name": "Ben"}
NEEDS_WRITERS = pytest.mark.skipif(connection.vendor == "sqlite", reason="the test database is one connection")


def post(api, body, key="k-1", path=PATH):
    return api.post(path, body, headers={"Idempotency-Key": key})


def test_same_request_is_done_once_and_answered_alike(api):
    first = post(api, ANN)
    again = post(api, ANN)

    assert (first.status_code, "Idempotent-Replayed" in first) == (201, False)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert (again.content, again["Location"]) == (first.content, first["Location"])
    assert again["Content-Type"] == first["Content-Type"] == "application/json"
    assert Customer.objects.count() == 1


def test_key_may_be_quoted_or_bare(api):
    post(api, ANN, key='"k-1"')

    assert post(api, ANN, key="k-1")["Idempotent-Replayed"] == "true"


def test_body_written_differently_is_the_same_body(api):
    post(api, ANN)

    text = '{ "name":"Ann",\n "user_id":"ann" }'
    again = api.post(PATH, text, content_type="application/json", headers={"Idempotency-Key": "k-1"})

    assert again["Idempotent-Replayed"] == "true"


def test_other_body_is_refused(api):
    post(api, ANN)

    answer = post(api, BEN)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert not Customer.objects.filter(user_id="ben").exists()


@pytest.mark.parametrize("key", ["", '""', "a b", "ключ".encode().decode("latin-1"), "x" * 256, "tab\t."])
def test_malformed_key_is_refused(api, key):
    answer = post(api, ANN, key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Customer.objects.exists()


def test_longest_key_is_taken(api):
    assert post(api, ANN, key="x" * 255).status_code == 201


def test_refused_request_stores_nothing_so_that_a_better_one_may_follow(api):
    refused = post(api, ANN | {"email": "nonsense"})
    better = post(api, ANN | {"email": "ann@example.com"})

    assert (refused.status_code, better.status_code) == (400, 201)


def test_answer_that_is_no_success_is_rolled_back(api):
    answer = post(api, {"customers": [{"name": "Nobody"}]}, path=f"{PATH}batch/")

    assert answer.status_code == 400
    assert not IdempotencyRecord.objects.exists()


def test_crash_stores_nothing(api, monkeypatch):
    api.raise_request_exception = False
    real = customers.create

    def create_and_crash(*args):
        real(*args)
        raise RuntimeError("power cut")

    monkeypatch.setattr(customers, "create", create_and_crash)
    crashed = post(api, ANN).status_code
    left_behind = Customer.objects.count() + IdempotencyRecord.objects.count()
    monkeypatch.setattr(customers, "create", real)

    assert (crashed, left_behind) == (500, 0)
    assert post(api, ANN).status_code == 201


def test_key_belongs_to_tenant_and_path(api, globex):
    post(api, ANN)

    other_tenant = post(client_with(globex.api_key), BEN)
    other_path = post(api, {"customers": [BEN]}, path=f"{PATH}batch/")

    assert (other_tenant.status_code, other_path.status_code) == (201, 200)


def test_key_is_forgotten_after_its_hours(api, settings):
    post(api, ANN)
    past = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, seconds=1)
    IdempotencyRecord.objects.update(created_at=past)

    answer = post(api, BEN)
    again = post(api, BEN)

    assert (answer.status_code, "Idempotent-Replayed" in answer) == (201, False)
    assert again["Idempotent-Replayed"] == "true"
    assert IdempotencyRecord.objects.count() == 1


def test_purge_forgets_what_is_older(api):
    post(api, ANN, key="old")
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(days=2))
    post(api, BEN, key="new")

    assert idempotency.purge(before=timezone.now() - timedelta(days=1)) == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]


def test_without_a_key_nothing_more_is_asked_of_the_database(api, django_assert_num_queries):
    api.get("/v1/tenants/me/")

    with django_assert_num_queries(5):  # the transaction's savepoint, the insert's savepoint, the insert
        api.post(PATH, ANN)


@NEEDS_WRITERS
def test_twin_of_a_slow_request_is_told_to_come_back(transactional_db, monkeypatch):
    """The first request's transaction is open in another thread for longer than a twin waits."""
    monkeypatch.setattr(idempotency, "WAIT_FOR_TWIN", 1)
    acme = register("Acme", "ops@acme.test")
    is_claimed, may_end = Event(), Event()
    claim = idempotency.Claim(acme.tenant, f"POST {PATH}", "k-1", "fingerprint")

    def first_request() -> None:
        with transaction.atomic():
            idempotency.take(claim)
            is_claimed.set()
            may_end.wait(10)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first_request)
        is_claimed.wait(10)
        answer = post(client_with(acme.api_key), ANN)
        may_end.set()
        running.result()

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_progress")
    assert answer["Retry-After"] == "1"


@NEEDS_WRITERS
def test_twenty_clients_at_once_make_one_customer(transactional_db, live_server):
    acme = register("Acme", "ops@acme.test")
    headers = {"X-API-KEY": acme.api_key, "Idempotency-Key": "k-1", "Content-Type": "application/json"}

    def send(_: int) -> tuple[int, str, bytes]:
        http = HTTPConnection(urlsplit(live_server.url).netloc, timeout=30)
        try:
            http.request("POST", PATH, json.dumps(ANN), headers)
            answer = http.getresponse()
            return answer.status, answer.headers.get("Idempotent-Replayed", ""), answer.read()
        finally:
            http.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    done = [answer for answer in answers if answer[0] == 201]
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len([answer for answer in done if not answer[1]]) == 1
    assert len({body for _, _, body in done}) == 1
    assert Customer.objects.count() == 1
