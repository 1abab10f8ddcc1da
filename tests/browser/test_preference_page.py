"""The preference page as the person behind a link has it: in light and dark, without scripts, from the keyboard."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.conftest import opened
from tests.mission.product import Api, Product

PHONE = {"width": 390, "height": 844}
WORKFLOWS = (
    {"event_type": "SALE", "channels": ["email", "slack"], "category": "offers"},
    {"event_type": "SHIPPED", "channels": ["email", "slack", "in_app"], "category": "orders"},
    {"event_type": "SIGN_IN", "channels": ["email"], "category": "security", "critical": True},
)


@pytest.fixture
def link(product: Product) -> str:
    """Of somebody new, in a tenant of their own."""
    shop = {"name": "Northwind Books", "email": "ops@example.com"}
    live = Api(product.url, product.anyone("POST", "/v1/tenants/register/", shop).body["api_key"])
    for workflow in WORKFLOWS:
        assert live("POST", "/v1/workflows/", workflow).status == 201
    slack = {"slack": "https://hooks.slack.com/services/T0/B0/x"}
    live("POST", "/api/v1/customers/", {"user_id": "jane", "email": "jane@example.com", "addresses": slack})
    made = live("POST", "/v1/subscribers/jane/preference-links/")
    assert made.status == 201, made.body
    return "/p/" + str(made.body["url"]).rpartition("/")[2]


@pytest.fixture
def scriptless(chromium: Browser, product: Product) -> Iterator[Page]:
    with opened(chromium, product, java_script_enabled=False, color_scheme="light") as page:
        yield page


@pytest.fixture(params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, chromium: Browser, product: Product) -> Iterator[tuple[Page, str]]:
    with opened(chromium, product, color_scheme=request.param) as page:
        yield page, request.param


def pictured(page: Page, name: str) -> None:
    """`SCREENSHOTS=docs/screenshots make browser ARGS="-k preference"` takes them anew."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_page_is_accessible_before_and_after_a_change(visitor: tuple[Page, str], link: str) -> None:
    page, scheme = visitor
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto(link)
    expect(page.get_by_role("group", name="Security").get_by_role("checkbox")).to_be_disabled()
    assert serious_violations(page) == []

    page.get_by_role("group", name="Offers").get_by_label("Email").uncheck()
    page.get_by_role("group", name="Channels").get_by_label("Slack").uncheck()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_text("off for everything").first).to_be_visible()
    assert serious_violations(page) == []
    pictured(page, f"preference-page-{scheme}")


def test_change_and_undo_need_no_script(scriptless: Page, link: str) -> None:
    scriptless.goto(link)
    offers = scriptless.get_by_role("group", name="Offers")
    offers.get_by_label("Email").uncheck()
    scriptless.get_by_label("Keep quiet hours").check()
    scriptless.get_by_role("button", name="Save").click()
    expect(scriptless.get_by_role("status")).to_contain_text("Saved")

    scriptless.goto(link)
    expect(offers.get_by_label("Email")).not_to_be_checked()
    expect(scriptless.get_by_label("Keep quiet hours")).to_be_checked()

    scriptless.get_by_role("button", name="Decline everything").click()
    expect(scriptless.get_by_role("group", name="Channels").get_by_label("Email")).not_to_be_checked()
    scriptless.get_by_role("button", name="Undo").click()
    expect(scriptless.get_by_role("status")).to_contain_text("Taken back")
    expect(scriptless.get_by_role("group", name="Channels").get_by_label("Email")).to_be_checked()
    expect(offers.get_by_label("Email")).not_to_be_checked()


def test_box_is_ticked_and_saved_from_the_keyboard(stranger: Page, link: str) -> None:
    stranger.goto(link)
    stranger.keyboard.press("Tab")
    expect(stranger.get_by_role("group", name="Channels").get_by_label("Email")).to_be_focused()

    stranger.keyboard.press("Space")
    stranger.keyboard.press("Enter")

    expect(stranger.get_by_role("status")).to_contain_text("Saved")
    expect(stranger.get_by_role("group", name="Channels").get_by_label("Email")).not_to_be_checked()


def test_page_fits_a_phone(stranger: Page, link: str, is_accessible: Callable[[Page], None]) -> None:
    stranger.set_viewport_size(PHONE)
    stranger.goto(link)

    assert stranger.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    is_accessible(stranger)
    pictured(stranger, "preference-page-phone")
