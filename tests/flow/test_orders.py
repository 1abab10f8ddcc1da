"""An order from the shop to its customer: each channel they chose says their name, the number, the items, the total."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from event_intake.models import Order
from notification_processor import events
from notification_processor.models import Event
from tests.conftest import client_with
from tests.peers.telegram import TOKEN

ORDER = {
    "customer_id": "ann",
    "order_number": "A-7",
    "items": [
        {"sku": "tea-1", "name": "Green tea", "quantity": 2, "unit_price": "12.50"},
        {"sku": "cup-3", "name": "Cup <large>", "quantity": 1, "unit_price": "0.99"},
    ],
    "currency": "EUR",
}
LINES = "2 × Green tea, 12.50 EUR each\n1 × Cup <large>, 0.99 EUR each\n\nTotal: 25.99 EUR\n"


def introduce(api, **fields):
    api.post("/api/v1/customers/", {"user_id": "ann", "name": "Ann", "email": "ann@example.com"} | fields)


def caught(api, order):
    event_id = order["links"]["event"].split("/")[-2]
    rows = api.get(f"/v1/sandbox/messages/?event_id={event_id}").json()["data"]
    return {row["channel"]: row for row in rows}


def logs_of(api, order):
    return {row["channel"]: row for row in api.get(order["links"]["notifications"]).json()["data"]}


def test_order_reaches_its_customer_with_its_own_words(sandbox):
    introduce(sandbox)

    order = sandbox.post("/api/v1/orders/", ORDER).json()

    messages = caught(sandbox, order)
    assert messages.keys() == {"email", "in_app"}
    for message in messages.values():
        assert message["subject"] == "Your order A-7"
        assert message["body"] == f"Hi Ann,\n\nthank you for your order A-7.\n\n{LINES}"
    assert "1 × Cup &lt;large&gt;" in messages["email"]["html"]
    assert "<b>25.99 EUR</b>" in messages["email"]["html"]
    row = logs_of(sandbox, order)["email"]
    assert (row["status"], row["template"], row["template_version"]) == ("sent", "order_created", 1)


def test_change_of_status_reaches_its_customer(sandbox):
    introduce(sandbox)
    sandbox.post("/api/v1/orders/", ORDER)

    order = sandbox.put("/api/v1/orders/A-7/status/", {"status": "confirmed"}).json()

    message = caught(sandbox, order)["email"]
    assert message["subject"] == "Your order A-7 is confirmed"
    assert message["body"] == f"Hi Ann,\n\nyour order A-7 is now confirmed; it was created.\n\n{LINES}"


def test_order_goes_to_the_channels_that_the_customer_chose(sandbox):
    hook = "https://hooks.slack.com/services/T0/B0/x"
    introduce(sandbox, addresses={"slack": hook, "teams": hook, "telegram": "4711"})
    choices = {"email": False, "slack": True, "telegram": True}
    sandbox.put("/v1/preferences/ann/", {"channels": choices})

    order = sandbox.post("/api/v1/orders/", ORDER).json()

    assert {c: m["body"] for c, m in caught(sandbox, order).items()} == dict.fromkeys(
        ("slack", "telegram"), f"Hi Ann,\n\nthank you for your order A-7.\n\n{LINES}"
    )
    assert logs_of(sandbox, order)["email"]["reason"] == "channel_choice"


def test_customer_who_wants_nothing_about_orders_hears_nothing(sandbox):
    introduce(sandbox)
    sandbox.put("/v1/preferences/ann/", {"categories": {"orders": {"*": False}}})

    order = sandbox.post("/api/v1/orders/", ORDER).json()

    assert {row["reason"] for row in logs_of(sandbox, order).values()} == {"category_choice"}
    assert caught(sandbox, order) == {}


@pytest.mark.parametrize(
    "payload",
    [
        {"order_id": 7},
        {},
        {"order_number": "A-7", "total": "12.50"},
        {"order_number": "A-7", "items": 3, "total": 1, "currency": "EUR"},
        {"order_number": "A-7", "items": ["tea"], "total": None, "currency": None},
        {"items": [{"name": "tea"}]},
    ],
    ids=str,
)
def test_event_that_a_starter_cannot_say_is_shown_whole(sandbox, payload):
    introduce(sandbox)
    event = {"event_type": "ORDER_CREATED", "user_id": "ann", "channels": ["email"], "payload": payload}

    sent = sandbox.post("/api/events/", event).json()

    (row,) = sandbox.get(sent["links"]["notifications"]).json()["data"]
    assert (row["status"], row["template"]) == ("sent", "(built-in)")
    (message,) = sandbox.get(f"/v1/sandbox/messages/?event_id={sent['id']}").json()["data"]
    assert message["subject"] == "Order created"
    assert message["body"].startswith("Hi Ann,\n\nOrder created")
    assert all(f"{key.replace('_', ' ')}: {value}" in message["body"] for key, value in payload.items())


@pytest.mark.parametrize("name", ["ORDER_CREATED", "order_created"])
def test_own_template_named_like_the_event_is_used_instead_of_the_starter(sandbox, name):
    introduce(sandbox)
    template = {"name": name, "channel": "email", "subject": "Ours", "body": "{{ order_number }}: {{ total }}"}
    assert sandbox.post("/v1/templates/", template).status_code == 201

    order = sandbox.post("/api/v1/orders/", ORDER).json()

    messages = caught(sandbox, order)
    assert (messages["email"]["subject"], messages["email"]["body"]) == ("Ours", "A-7: 25.99")
    assert messages["in_app"]["subject"] == "Your order A-7"


def test_customer_without_a_locale_gets_the_tenants(sandbox):
    for user_id, locale in (("ann", ""), ("eve", "en-GB"), ("uwe", "de-AT")):
        introduce(sandbox, user_id=user_id, email=f"{user_id}@example.com", locale=locale)
    template = {"name": "order_created", "channel": "email", "locale": "de", "subject": "Bestellung", "body": "Danke!"}
    sandbox.post("/v1/templates/", template)

    before = subjects_by_customer(sandbox, "1")
    me = sandbox.patch("/v1/tenants/me/", {"default_locale": "de-DE"}).json()
    after = subjects_by_customer(sandbox, "2")

    assert me["default_locale"] == "de-DE"
    assert before == {"ann": "Your order 1-ann", "eve": "Your order 1-eve", "uwe": "Bestellung"}
    assert after == {"ann": "Bestellung", "eve": "Your order 2-eve", "uwe": "Bestellung"}
    direct = {"channel": "email", "to": "x@example.com", "template": "order_created"}
    receipt = sandbox.post("/v1/notify/", direct).json()
    assert sandbox.get(receipt["links"]["self"]).json()["subject"] == "Bestellung"
    assert sandbox.patch("/v1/tenants/me/", {"default_locale": ""}).json()["default_locale"] is None
    assert sandbox.patch("/v1/tenants/me/", {"default_locale": "german"}).status_code == 400


def subjects_by_customer(api, prefix):
    found = {}
    for user_id in ("ann", "eve", "uwe"):
        body = ORDER | {"customer_id": user_id, "order_number": f"{prefix}-{user_id}"}
        found[user_id] = caught(api, api.post("/api/v1/orders/", body).json())["email"]["subject"]
    return found


def test_order_reaches_the_default_chat_of_telegram(live, settings, telegram_peer):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = ["127.0.0.0/8"], True
    settings.TELEGRAM_BASE_URL, settings.TELEGRAM_BOT_TOKEN = telegram_peer.base_url, TOKEN
    settings.TELEGRAM_CHAT_ID = "-100123"
    introduce(live)
    live.put("/v1/preferences/ann/", {"channels": {"telegram": True}})

    order = live.post("/api/v1/orders/", ORDER).json()

    assert logs_of(live, order)["telegram"]["status"] == "sent"
    (call,) = telegram_peer.received
    assert call.json["chat_id"] == -100123
    assert "thank you for your order A-7" in call.json["text"]
    assert "Total: 25.99 EUR" in call.json["text"]


def test_order_whose_event_cannot_be_stored_is_not_stored_either(sandbox, monkeypatch):
    introduce(sandbox)
    monkeypatch.setattr(events, "accept", lambda *_: 1 / 0)
    sandbox.raise_request_exception = False

    assert sandbox.post("/api/v1/orders/", ORDER).status_code == 500

    assert (Order.objects.count(), Event.objects.count()) == (0, 0)


def test_change_whose_event_cannot_be_stored_does_not_happen(sandbox, monkeypatch):
    introduce(sandbox)
    sandbox.post("/api/v1/orders/", ORDER)
    monkeypatch.setattr(events, "accept", lambda *_: 1 / 0)
    sandbox.raise_request_exception = False

    assert sandbox.put("/api/v1/orders/A-7/status/", {"status": "confirmed"}).status_code == 500

    assert Order.objects.get().status == "created"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_statuses_put_at_once_come_one_after_the_other(sandbox, acme):
    introduce(sandbox)
    sandbox.post("/api/v1/orders/", ORDER)

    def put(status):
        try:
            return client_with(acme.test_api_key).put("/api/v1/orders/A-7/status/", {"status": status}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(put, ["confirmed", "cancelled"] * 8))

    changes = Event.objects.filter(event_type="ORDER_STATUS_CHANGED").order_by("id")
    steps = [(e.payload["old_status"], e.payload["new_status"]) for e in changes]
    assert set(statuses) <= {200, 409}
    assert steps in ([("created", "cancelled")], [("created", "confirmed"), ("confirmed", "cancelled")])
    assert Order.objects.get().status == "cancelled"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite belongs to one thread")
def test_one_number_from_many_clients_is_one_order(sandbox, acme):
    introduce(sandbox)

    def post(_):
        try:
            return client_with(acme.test_api_key).post("/api/v1/orders/", ORDER).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(post, range(16)))

    assert statuses == [201] + [409] * 15
    assert (Order.objects.count(), Event.objects.count()) == (1, 1)
