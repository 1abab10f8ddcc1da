"""`<notification-preferences>` as a page's users have it, under a strict Content-Security-Policy."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.conftest import Complaints
from tests.mission.product import Product

SCRIPT = Path(__file__).resolve().parents[2] / "inbox/static/inbox/notification-preferences.js"
PAGE = "/demo/inbox/"
CALL = "**/v1/inbox/preferences/"
MOST_BYTES = 15 * 1024
WORKFLOWS = (
    {"event_type": "SALE", "channels": ["email", "slack"], "category": "offers"},
    {"event_type": "SHIPPED", "channels": ["email", "slack", "in_app"], "category": "order_news"},
    {"event_type": "SIGN_IN", "channels": ["email"], "category": "security", "critical": True},
)


@pytest.fixture(scope="module")
def ann(shop: Product) -> str:
    for workflow in WORKFLOWS:
        assert shop.live("POST", "/v1/workflows/", workflow).status in (201, 409)
    slack = {"slack": "https://hooks.slack.com/services/T0/B0/x"}
    about = {"email": "ann@example.com", "addresses": slack, "timezone": "Europe/Warsaw"}
    assert shop.live("POST", "/api/v1/customers/batch/", {"customers": [{"user_id": "ann", **about}]}).status == 200
    return "/v1/preferences/ann/"


@pytest.fixture
def chosen(shop: Product, ann: str) -> Any:
    """What she has chosen; nothing at first."""
    assert shop.live("PUT", ann, {}).status == 200
    return lambda: shop.live("GET", ann).body


@pytest.fixture
def page(chromium: Browser, shop: Product, chosen: Any) -> Iterator[Page]:
    complaints = Complaints(shop.url)
    with chromium.new_context(base_url=shop.url, viewport={"width": 900, "height": 900}) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        complaints.listen_to(page)
        yield page
    assert complaints.found == []


def element(page: Page) -> Locator:
    return page.locator("notification-preferences")


def box(page: Page, row: str, channel: str) -> Locator:
    return element(page).get_by_role("group", name=row).get_by_label(channel)


def shown(page: Page, query: str = "") -> None:
    page.goto(f"{PAGE}{query}")
    element(page).get_by_role("group").first.wait_for()


def test_component_is_small() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= MOST_BYTES


def test_choice_is_saved_as_it_is_made_and_undone(page: Page, chosen: Any) -> None:
    shown(page)
    box(page, "Offers", "Email").uncheck()
    expect(element(page).get_by_role("status")).to_have_text("Saved.")
    assert chosen()["categories"] == {"offers": {"email": False}}

    element(page).get_by_role("button", name="Undo").click()

    expect(element(page).get_by_role("status")).to_have_text("Taken back.")
    expect(box(page, "Offers", "Email")).to_be_checked()
    assert chosen()["categories"] == {}


def test_box_ticked_again_leaves_no_choice(page: Page, chosen: Any) -> None:
    shown(page)
    box(page, "Order news", "Slack").uncheck()
    box(page, "Order news", "Slack").check()

    expect(element(page).get_by_role("status")).to_have_text("Saved.")
    page.wait_for_function("document.querySelector('notification-preferences').preferences.categories.length")
    box(page, "Order news", "Email").uncheck()
    expect(box(page, "Order news", "Email")).not_to_be_checked()
    expect(element(page).get_by_role("button", name="Undo")).to_be_visible()
    assert "slack" not in chosen()["categories"].get("order_news", {})


def test_channel_off_is_said_on_each_row_and_what_is_locked_stays(page: Page, chosen: Any) -> None:
    shown(page)
    expect(box(page, "Security", "Always on")).to_be_disabled()

    element(page).get_by_role("button", name="Decline everything").click()

    expect(element(page).get_by_text("(off for everything)").first).to_be_visible()
    expect(box(page, "Channels", "Email")).not_to_be_checked()
    expect(box(page, "Security", "Always on")).to_be_checked()
    assert chosen()["channels"] == {"*": False}


def test_quiet_hours_are_kept_in_the_chosen_zone(page: Page, chosen: Any) -> None:
    shown(page)
    element(page).get_by_label("Keep quiet hours").check()
    element(page).get_by_label("From").fill("21:30")
    element(page).get_by_role("checkbox", name="Sun").uncheck()
    element(page).get_by_label("Time zone").select_option("Asia/Tokyo")
    element(page).get_by_role("button", name="Save quiet hours").click()
    expect(element(page).get_by_role("status")).to_have_text("Saved.")

    quiet = chosen()["quiet_hours"]
    assert (quiet["enabled"], quiet["timezone"], quiet["days"]["mon"]) == (True, "Asia/Tokyo", [["21:30", "07:00"]])
    assert "sun" not in quiet["days"]

    page.reload()
    expect(element(page).get_by_label("From")).to_have_value("21:30")
    expect(element(page).get_by_role("checkbox", name="Sun")).not_to_be_checked()


def test_quiet_hours_without_a_day_are_not_saved(page: Page, chosen: Any) -> None:
    shown(page)
    element(page).get_by_label("Keep quiet hours").check()
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"):
        element(page).get_by_role("checkbox", name=day).uncheck()
    element(page).get_by_role("button", name="Save quiet hours").click()

    expect(element(page).get_by_role("status")).to_contain_text("Not saved")
    assert chosen()["quiet_hours"] is None


def test_boxes_are_ticked_from_the_keyboard_and_keep_the_focus(page: Page, chosen: Any) -> None:
    shown(page)
    box(page, "Channels", "Slack").focus()
    page.keyboard.press("Space")
    expect(element(page).get_by_role("status")).to_have_text("Saved.")

    expect(box(page, "Channels", "Slack")).to_be_focused()
    expect(box(page, "Channels", "Slack")).not_to_be_checked()
    page.keyboard.press("Space")
    expect(element(page).get_by_text("(off for everything)")).to_have_count(0)
    assert chosen()["channels"] == {}


@pytest.fixture
def troubled(chromium: Browser, shop: Product, chosen: Any) -> Iterator[Page]:
    """A browser complains itself of what does not load."""
    with chromium.new_context(base_url=shop.url) as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


def test_change_that_does_not_arrive_is_taken_back_on_the_page(troubled: Page, chosen: Any) -> None:
    shown(troubled)
    troubled.route(CALL, lambda route: route.abort())
    box(troubled, "Offers", "Email").click()

    expect(element(troubled).get_by_role("status")).to_have_text("Not saved. Please try again.")
    expect(box(troubled, "Offers", "Email")).to_be_checked()


def test_page_that_cannot_load_offers_to_try_again(troubled: Page, chosen: Any) -> None:
    troubled.route(CALL, lambda route: route.abort())
    troubled.goto(PAGE)
    expect(element(troubled).get_by_text("Your choices could not be loaded.")).to_be_visible()
    troubled.unroute(CALL)

    element(troubled).get_by_role("button", name="Try again").click()

    expect(box(troubled, "Offers", "Email")).to_be_checked()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("light", "?theme=light"),
        ("dark", "?theme=dark"),
        ("right-to-left", "?theme=light&lang=ar"),
        ("german", "?lang=de"),
    ],
)
def test_element_is_accessible_and_as_shown_in_the_docs(page: Page, tmp_path: Path, name: str, query: str) -> None:
    shown(page, query)
    assert serious_violations(page) == []
    element(page).get_by_role("group").nth(1).get_by_role("checkbox").first.click()
    expect(element(page).get_by_role("status")).not_to_be_empty()

    assert serious_violations(page) == []
    element(page).screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"preferences-{name}.png")


def test_element_fits_a_phone(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    shown(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious_violations(page) == []
    element(page).screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "preferences-phone.png")
