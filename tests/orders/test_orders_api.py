"""`/api/v1/orders/`: what is stored, what is answered, what is refused."""

import pytest

from event_intake.models import Order
from notification_processor.models import Event
from tenants.services import register
from tests.conftest import client_with
from tests.orders.conftest import ANN, ORDER


def post_order(api, **fields):
    return api.post("/api/v1/orders/", {k: v for k, v in (ORDER | fields).items() if v is not None})


def put_status(api, status, key="A-7"):
    return api.put(f"/api/v1/orders/{key}/status/", {"status": status})


def test_order_is_answered_with_its_total_and_published(sandbox, ann):
    answer = post_order(sandbox)

    order = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"/api/v1/orders/{order['id']}/")
    assert (order["order_number"], order["status"]) == ("A-7", "created")
    assert (order["total"], order["currency"]) == ("25.99", "EUR")
    assert (order["customer_id"], order["user_id"]) == (ann["id"], "ann")
    assert order["items"] == [
        {"sku": "tea-1", "name": "Green tea", "quantity": 2, "unit_price": "12.50"},
        {"sku": "cup-3", "name": "Cup", "quantity": 1, "unit_price": "0.99"},
    ]
    event = sandbox.get(order["links"]["event"]).json()
    assert (event["event_type"], event["recipients"], event["mode"]) == ("ORDER_CREATED", ["ann"], "test")
    assert event["payload"] == {
        "order_id": order["id"],
        "order_number": "A-7",
        "status": "created",
        "customer_name": "Ann",
        "items": order["items"],
        "total": "25.99",
        "currency": "EUR",
    }


@pytest.mark.parametrize("which", ["id", "user_id"])
def test_order_names_its_customer_by_either_id(sandbox, ann, which):
    assert post_order(sandbox, customer_id=ann[which]).json()["customer_id"] == ann["id"]


@pytest.mark.parametrize("which", ["id", "order_number"])
def test_order_is_found_by_either_id(sandbox, ann, which):
    order = post_order(sandbox).json()

    assert sandbox.get(f"/api/v1/orders/{order[which]}/").json() == order


def test_order_whose_number_has_slashes_is_found(sandbox, ann):
    post_order(sandbox, order_number="2026/11/7")

    assert sandbox.get("/api/v1/orders/2026/11/7/").json()["order_number"] == "2026/11/7"
    assert put_status(sandbox, "confirmed", key="2026/11/7").json()["status"] == "confirmed"


@pytest.mark.parametrize("key", ["B-8", "019e0000-0000-7000-8000-000000000000"])
def test_order_that_does_not_exist_is_not_found(sandbox, ann, key):
    for answer in (sandbox.get(f"/api/v1/orders/{key}/"), put_status(sandbox, "confirmed", key=key)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_order_of_another_tenant_is_not_found_and_its_number_is_free(sandbox, ann):
    order = post_order(sandbox).json()
    other = client_with(register("Other", "ops@other.test").test_api_key)
    other.post("/api/v1/customers/", ANN)

    for key in (order["id"], "A-7"):
        assert other.get(f"/api/v1/orders/{key}/").status_code == 404
        assert put_status(other, "confirmed", key=key).status_code == 404
    assert other.get("/api/v1/orders/").json()["data"] == []
    assert post_order(other).status_code == 201


def test_order_number_that_is_taken_is_a_conflict_and_publishes_nothing(sandbox, ann):
    post_order(sandbox)

    answer = post_order(sandbox, currency="USD")

    assert (answer.status_code, answer.json()["code"]) == (409, "order_exists")
    assert "GET /api/v1/orders/A-7/" in answer.json()["detail"]
    assert (Order.objects.count(), Event.objects.count()) == (1, 1)


def test_order_sent_twice_with_one_idempotency_key_is_created_once(sandbox, ann):
    first, again = (sandbox.post("/api/v1/orders/", ORDER, headers={"Idempotency-Key": "order-a-7"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again["Idempotent-Replayed"], again["Location"]) == ("true", first["Location"])
    assert again.json() == first.json()
    assert (Order.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"customer_id": "ghost"}, "#/customer_id", "Introduce them first: POST /api/v1/customers/."),
        ({"customer_id": None}, "#/customer_id", "required"),
        ({"order_number": ""}, "#/order_number", "blank"),
        ({"order_number": "A\n7"}, "#/order_number", "one plain line"),
        ({"order_number": "x" * 65}, "#/order_number", "64 characters"),
        ({"currency": "eur"}, "#/currency", "three capital letters"),
        ({"currency": "EURO"}, "#/currency", "three capital letters"),
        ({"items": []}, "#/items", "empty"),
        ({"items": [{"name": "x", "quantity": 0, "unit_price": "1"}]}, "#/items/0/quantity", "greater"),
        ({"items": [{"name": "x", "quantity": 1.5, "unit_price": "1"}]}, "#/items/0/quantity", "integer"),
        ({"items": [{"name": "x", "quantity": 1, "unit_price": "-1"}]}, "#/items/0/unit_price", "greater"),
        ({"items": [{"name": "x", "quantity": 1, "unit_price": "NaN"}]}, "#/items/0/unit_price", "number"),
        ({"items": [{"name": "x", "quantity": 1, "unit_price": "1.00001"}]}, "#/items/0/unit_price", "decimal places"),
        ({"items": [{"name": "x", "quantity": 1}]}, "#/items/0/unit_price", "required"),
        ({"items": [{"nmae": "x", "quantity": 1, "unit_price": "1"}]}, "#/items/0/nmae", 'Did you mean "name"?'),
        ({"items": [{"name": "x", "quantity": 1_000_000, "unit_price": "99999999"}]}, "#/items", "more than an order"),
        ({"totl": 1}, "#/totl", "There is no field"),
    ],
)
def test_order_that_is_wrong_is_a_problem_and_leaves_no_row(sandbox, ann, fields, pointer, words):
    answer = post_order(sandbox, **fields)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert any(e["pointer"] == pointer and words in e["detail"] for e in answer.json()["errors"]), answer.json()
    assert (Order.objects.count(), Event.objects.count()) == (0, 0)


def test_list_of_orders_is_paged_newest_first_and_filtered(sandbox, ann):
    sandbox.post("/api/v1/customers/", {"user_id": "bob"})
    for number in ("1", "2", "3"):
        post_order(sandbox, order_number=number, customer_id="bob" if number == "2" else "ann")
    put_status(sandbox, "confirmed", key="3")

    first = sandbox.get("/api/v1/orders/?limit=2").json()
    second = sandbox.get(f"/api/v1/orders/?limit=2&cursor={first['next_cursor']}").json()

    assert [order["order_number"] for order in first["data"] + second["data"]] == ["3", "2", "1"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [o["order_number"] for o in sandbox.get("/api/v1/orders/?user_id=bob").json()["data"]] == ["2"]
    assert [o["order_number"] for o in sandbox.get("/api/v1/orders/?status=confirmed").json()["data"]] == ["3"]
    assert sandbox.get("/api/v1/orders/?status=lost").json()["code"] == "invalid_filter"


def test_order_walks_from_created_to_delivered(sandbox, ann):
    post_order(sandbox)

    for old, new in (("created", "confirmed"), ("confirmed", "shipped"), ("shipped", "delivered")):
        answer = put_status(sandbox, new)
        assert (answer.status_code, answer.json()["status"]) == (200, new)
        event = sandbox.get(answer.json()["links"]["event"]).json()
        assert event["event_type"] == "ORDER_STATUS_CHANGED"
        assert (event["payload"]["old_status"], event["payload"]["new_status"]) == (old, new)
        assert (event["payload"]["total"], event["payload"]["order_number"]) == ("25.99", "A-7")

    assert Event.objects.count() == 4


@pytest.mark.parametrize(
    ("walk", "step", "words"),
    [
        ([], "shipped", "Order A-7 is created; it can become confirmed or cancelled, not shipped."),
        (["confirmed"], "created", "Order A-7 is confirmed; it can become shipped or cancelled, not created."),
        (["confirmed", "shipped"], "cancelled", "Order A-7 is shipped; it can become delivered, not cancelled."),
        (["cancelled"], "confirmed", "Order A-7 is cancelled; that is final."),
    ],
)
def test_order_refuses_an_illegal_step_and_names_the_legal_ones(sandbox, ann, walk, step, words):
    post_order(sandbox)
    for status in walk:
        put_status(sandbox, status)
    before = Event.objects.count()

    answer = put_status(sandbox, step)

    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_status_step")
    assert answer.json()["detail"] == words
    assert sandbox.get("/api/v1/orders/A-7/").json()["status"] == (walk or ["created"])[-1]
    assert Event.objects.count() == before


def test_status_put_again_changes_and_publishes_nothing(sandbox, ann):
    post_order(sandbox)
    first = put_status(sandbox, "confirmed")

    again = put_status(sandbox, "confirmed")

    assert (again.status_code, again.json()) == (200, first.json())
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "words"), [({"status": "lost"}, "not a valid choice"), ({}, "required"), ([], "dictionary")]
)
def test_status_that_is_wrong_is_a_problem(sandbox, ann, body, words):
    post_order(sandbox)

    answer = sandbox.put("/api/v1/orders/A-7/status/", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert words in answer.json()["detail"]


def test_order_outlives_its_customer_and_goes_on_without_telling_anybody(sandbox, ann):
    post_order(sandbox)
    assert sandbox.delete("/api/v1/customers/ann/").status_code == 204

    answer = put_status(sandbox, "confirmed")

    assert (answer.status_code, answer.json()["customer_id"]) == (200, None)
    event = sandbox.get(answer.json()["links"]["event"]).json()
    assert (event["status"], event["recipients"], event["counts"]) == ("completed", [], {})
