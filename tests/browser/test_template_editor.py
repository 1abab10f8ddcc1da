"""Templates as their authors edit them: typed, seen, published, compared, put back, and sent to oneself."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.png import shrink
from tests.flow.stack import wait_until
from tests.mission.product import Api, Product

FOLDER = os.environ.get("SCREENSHOTS", "")
LARGEST = 200_000  # bytes
LIST = "/admin/notification_processor/messagetemplate/"
WORDS = {
    "subject": "Your parcel {{ parcel.number }}",
    "body": "Hi {{ customer.name }},\n\nparcel {{ parcel.number }} is on its way.\n",
    "html": "<h1>On its way</h1><p>Hi {{ customer.name }}, parcel <b>{{ parcel.number }}</b> is on its way.</p>",
}


@pytest.fixture
def shop(product: Product) -> tuple[Api, Api]:
    return product.tenant()


@pytest.fixture
def template(shop: tuple[Api, Api]) -> dict[str, Any]:
    """With an event that it was used for, by a test key."""
    live, test = shop
    made = live("POST", "/v1/templates/", {"name": "parcel", "channel": "email", **WORDS})
    assert made.status == 201, made.body
    workflow = {"event_type": "PARCEL_SENT", "channels": ["email"], "template": "parcel"}
    assert live("POST", "/v1/workflows/", workflow).status == 201
    test("POST", "/api/v1/customers/", {"user_id": "zoe", "name": "Zoe", "email": "zoe@example.com"})
    told(test)
    found: dict[str, Any] = made.body
    return found


def told(api: Api) -> dict[str, Any]:
    """What somebody is told of a parcel now."""
    event = {"event_type": "PARCEL_SENT", "recipients": ["zoe"], "payload": {"parcel": {"number": "PX-77"}}}
    sent = api("POST", "/api/events/", event)
    assert sent.status == 202, sent.body
    rows = api.settled(sent.body["id"], 1)
    found: dict[str, Any] = api("GET", f"/v1/notifications/{rows['email']['id']}/").body
    return found


def opened(page: Page, template: dict[str, Any]) -> None:
    page.goto(f"{LIST}{template['id']}/change/")
    expect(page.locator("#pane .subject")).to_be_visible()


def test_words_are_seen_published_and_used_by_the_next_message(
    page: Page, shop: tuple[Api, Api], template: dict[str, Any]
) -> None:
    opened(page, template)
    expect(page.locator("#pane .subject")).to_have_text("Your parcel PX-77")
    expect(page.frame_locator("#pane iframe").locator("p")).to_have_text("Hi Zoe, parcel PX-77 is on its way.")

    page.get_by_label("Subject").fill("Parcel {{ parcel.number }} comes today")

    expect(page.locator("#pane .subject")).to_have_text("Parcel PX-77 comes today")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is in use from now on")).to_be_visible()
    assert told(shop[1])["subject"] == "Parcel PX-77 comes today"


def test_variable_that_is_not_there_is_named_with_the_one_that_is_meant(page: Page, template: dict[str, Any]) -> None:
    opened(page, template)

    page.get_by_label("Body", exact=True).fill("Hi {{ customer.nmae }},\nparcel {{ parcel.numbr }}")

    flaws = page.get_by_role("alert", name="What is wrong")
    for line, name, meant in ((1, "customer.nmae", "customer.name"), (2, "parcel.numbr", "parcel.number")):
        told = f'body, line {line}: the variable "{name}" is missing. Did you mean "{meant}"?'
        expect(flaws).to_contain_text(told)
    expect(page.frame_locator("#pane iframe").locator("h1")).to_have_text("On its way")  # other parts are still shown
    assert serious_violations(page) == []


def test_mistake_in_the_language_is_told_with_its_line(page: Page, template: dict[str, Any]) -> None:
    opened(page, template)

    page.get_by_label("Body", exact=True).fill("Hi,\n{% if parcel %}it comes")

    expect(page.get_by_role("alert", name="What is wrong")).to_contain_text("body, line 2")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".errorlist, .errors").first).to_be_visible()
    expect(page.get_by_label("Body", exact=True)).to_have_value("Hi,\n{% if parcel %}it comes")


def test_versions_are_compared_and_an_earlier_one_is_put_back(
    page: Page, shop: tuple[Api, Api], template: dict[str, Any]
) -> None:
    shop[0]("PATCH", f"/v1/templates/{template['id']}/", {"subject": "Your package {{ parcel.number }}"})
    opened(page, template)

    page.get_by_role("link", name="Compare with now").click()
    expect(page.locator("tr.removed")).to_contain_text("Your parcel {{ parcel.number }}")
    expect(page.locator("tr.added b")).to_have_text("package")
    assert serious_violations(page) == []
    page.get_by_role("button", name="Put version 1 back").click()

    expect(page.get_by_text("Version 3, with the words of version 1, is in use from now on.")).to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value(WORDS["subject"])
    assert told(shop[1])["subject"] == "Your parcel PX-77"
    entries = shop[0]("GET", "/v1/audit/?limit=5").body["data"]
    assert [one["action"] for one in entries][:2] == ["template.restored", "template.versioned"]


def test_test_message_reaches_whoever_asks_through_the_pipeline(
    page: Page, product: Product, template: dict[str, Any]
) -> None:
    opened(page, template)
    subject = f"Not published {uuid.uuid4().hex[:6]}"
    page.get_by_label("Subject").fill(subject)
    expect(page.locator("#pane .subject")).to_have_text(subject)

    page.get_by_role("button", name="Send test to me").click()

    expect(page.locator("#tested")).to_contain_text("On its way to ops@example.com")
    marked = f"[Test] {subject}"
    wait_until(lambda: [m for m in product.smtp.received if m.message["Subject"] == marked], seconds=20, what="a mail")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="See what becomes of it").click()
    expect(page.locator(".drawn .subject")).to_have_text(marked)


def test_editor_is_used_with_a_keyboard(page: Page, template: dict[str, Any]) -> None:
    opened(page, template)

    page.get_by_label("Subject").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Typed")
    expect(page.locator("#pane .subject")).to_have_text("Typed")
    page.get_by_label("Wide").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Phone")).to_be_checked()
    page.locator(".sample summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Sample, as JSON")).to_be_visible()


@pytest.mark.parametrize("channel", ["slack", "teams", "telegram", "webhook", "in_app"])
def test_words_for_other_channels_are_drawn_as_they_are_read(channel: str, page: Page, shop: tuple[Api, Api]) -> None:
    words = {"subject": "Parcel {{ number }}", "body": "It comes *today*"}
    made = shop[0]("POST", "/v1/templates/", {"name": "other", "channel": channel, **words})
    opened(page, made.body)

    expect(page.locator("#pane .drawn")).to_contain_text("Parcel A-1007")  # nothing real: made up
    assert serious_violations(page) == []


def test_new_template_is_seen_before_it_is_made(dark_page: Page, is_accessible: Callable[[Page], None]) -> None:
    dark_page.goto(f"{LIST}add/")

    dark_page.get_by_label("Body", exact=True).fill("Hello {{ customer.name }}, {{ city }}")

    expect(dark_page.locator("#pane .drawn")).to_contain_text("Hello Ann Example, city")
    is_accessible(dark_page)


def test_editor_and_versions_are_accessible_in_the_dark(
    dark_page: Page, shop: tuple[Api, Api], template: dict[str, Any], is_accessible: Callable[[Page], None]
) -> None:
    shop[0]("PATCH", f"/v1/templates/{template['id']}/", {"subject": "Your package {{ parcel.nmber }}"})
    dark_page.goto(f"{LIST}{template['id']}/change/")
    expect(dark_page.get_by_role("alert", name="What is wrong")).to_be_visible()
    is_accessible(dark_page)

    dark_page.get_by_role("link", name="What it changed").click()

    expect(dark_page.locator("tr.added")).to_be_visible()
    is_accessible(dark_page)


@pytest.mark.skipif(not FOLDER, reason="pictures are taken when SCREENSHOTS names a folder for them")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(theme: str, request: pytest.FixtureRequest, product: Product) -> None:
    page: Page = request.getfixturevalue("page" if theme == "light" else "dark_page")
    shop = {"name": "Northwind Books", "email": "ops@example.com"}
    keys = product.anyone("POST", "/v1/tenants/register/", shop).body
    live, test = Api(product.url, keys["api_key"]), Api(product.url, keys["test_api_key"])
    test("POST", "/api/v1/customers/", {"user_id": "ada", "name": "Ada Byron", "email": "ada@example.com"})
    items = [
        {"name": "Notebook, dotted", "quantity": 2, "unit_price": "9.50"},
        {"name": "Fountain pen", "quantity": 1, "unit_price": "32.00"},
    ]
    payload = {"order_number": "NW-2041", "items": items, "total": "51.00", "currency": "EUR"}
    test("POST", "/api/events/", {"event_type": "ORDER_CREATED", "recipients": ["ada"], "payload": payload})
    found = live("GET", "/v1/templates/?name=order_created&channel=email").body["data"][0]
    better = found["html"].replace("Thank you for your order", "We are packing your order")
    live("PATCH", f"/v1/templates/{found['id']}/", {"subject": "We got your order {{ order_number }}", "html": better})
    opened(page, found)
    page.wait_for_load_state("networkidle")
    pictured(page, f"template-editor-{theme}")
    page.get_by_role("link", name="What it changed").click()
    page.locator(".difference").first.wait_for()
    pictured(page, f"template-versions-{theme}")


def pictured(page: Page, name: str) -> None:
    target = Path(FOLDER) / f"{name}.png"
    page.screenshot(path=target)
    assert shrink(target) <= LARGEST
