"""Why somebody got it, or not, by clicking: the person found, and the rule with its value read."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.pictures import taken_in_both_looks
from tests.flow.stack import wait_until
from tests.mission.product import Api, Product

EXPLAIN = "/admin/notification_processor/event/explain/"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="module")
def event_id(product: Product) -> str:
    """Ann has been told of a parcel by mail and in her inbox, not on Slack, and will be on Telegram in the morning."""
    shop = {"name": "Northwind Parcels", "email": "ops@example.com"}
    api = Api(product.url, product.anyone("POST", "/v1/tenants/register/", shop).body["test_api_key"])
    addresses = {"slack": "https://hooks.slack.com/services/T0/B0/x", "telegram": "4711"}
    ann = {"user_id": "ann", "name": "Ann", "email": "ann@example.com", "addresses": addresses}
    workflow = {
        "event_type": "PARCEL_SENT",
        "channels": ["email", "in_app", "slack", "telegram"],
        "category": "parcels",
    }
    today = datetime.now(UTC).weekday()
    days = {DAYS[(today + n) % 7]: [["00:00", "24:00"]] for n in (-1, 0, 1)}
    wishes = {
        "categories": {"parcels": {"slack": False, "email": True}},
        "quiet_hours": {"days": days, "timezone": "Europe/Warsaw", "channels": ["telegram"]},
    }
    steps = [("POST", "/api/v1/customers/", ann), ("POST", "/v1/workflows/", workflow)]
    for method, path, body in [*steps, ("PATCH", "/v1/preferences/ann/", wishes)]:
        answer = api(method, path, body)
        assert answer.status in (200, 201), answer.body
    said = {"event_type": "PARCEL_SENT", "user_id": "ann", "payload": {"number": 7}}
    event = str(api("POST", "/api/events/", said).body["id"])

    def is_settled() -> bool:
        rows = api("GET", f"/v1/notifications/?event_id={event}").body["data"]
        return sorted(row["status"] for row in rows) == ["scheduled", "sent", "sent", "suppressed"]

    wait_until(is_settled, seconds=20, what="what becomes of the event")
    return event


def test_person_is_found_and_the_rule_read(page: Page, event_id: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 1120})
    page.goto("/admin/")
    page.get_by_role("link", name="Explain", exact=True).click()
    assert serious_violations(page) == []
    page.get_by_label("Customer").fill("ann")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("heading", name="Newest events for ann")).to_be_visible()
    assert serious_violations(page) == []
    page.get_by_role("row").filter(has_text="Northwind Parcels").get_by_role("link", name="PARCEL_SENT").click()

    page.wait_for_url(f"**event_id={event_id}**")
    expect(page.get_by_text("ann was told on email and in_app.")).to_be_visible()
    slack = page.locator(".panel").filter(has=page.get_by_role("heading", name="slack suppressed"))
    expect(slack).to_contain_text("category_channel_choice")
    expect(slack).to_contain_text("parcels")
    telegram = page.locator(".panel").filter(has=page.get_by_role("heading", name="telegram scheduled"))
    expect(telegram).to_contain_text("quiet_hours")
    expect(telegram).to_contain_text("quiet hours last until 00:00 (Europe/Warsaw)")
    assert serious_violations(page) == []
    taken_in_both_looks(page, "explain")


def test_customer_leads_to_messages_and_to_their_explanation(page: Page, event_id: str) -> None:
    page.goto("/admin/user_preferences/customer/")
    page.get_by_placeholder("A whole user_id").fill("ann")
    page.keyboard.press("Enter")
    page.locator("#result_list tbody tr").filter(has_text="Northwind Parcels").get_by_role("link").first.click()
    page.get_by_role("link", name="Notifications", exact=True).click()
    page.locator("#result_list tbody tr").filter(has_text="suppressed").get_by_role("link").first.click()

    expect(page.locator(".timeline").first).to_contain_text("category_channel_choice")
    page.get_by_role("link", name="Explain", exact=True).last.click()

    page.wait_for_url(f"**event_id={event_id}**")
    expect(page.get_by_text("ann was told on email and in_app.")).to_be_visible()


def test_explanation_needs_the_keyboard_only(page: Page, event_id: str) -> None:
    page.goto(EXPLAIN)
    expect(page.get_by_label("Customer")).to_be_focused()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(event_id)
    page.keyboard.press("Enter")

    expect(page.get_by_text("ann was told on email and in_app.")).to_be_visible()


def test_explanation_is_accessible_in_the_dark(dark_page: Page, event_id: str) -> None:
    dark_page.goto(f"{EXPLAIN}?user_id=ann&event_id={event_id}")

    expect(dark_page.get_by_text("ann was told on email and in_app.")).to_be_visible()
    assert serious_violations(dark_page) == []
