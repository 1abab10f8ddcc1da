"""The console's pages open, in light and dark, without complaint, and can be used with a keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.conftest import NAME, PASSWORD
from tests.mission.product import Product

LISTS = [
    "delivery_gateway/notificationlog", "notification_processor/event", "delivery_gateway/deadletter",
    "delivery_gateway/suppression", "notification_processor/messagetemplate", "notification_processor/workflow",
    "user_preferences/customer", "user_preferences/preference", "delivery_gateway/inboxitem", "tenants/integration",
    "tenants/apikey", "delivery_gateway/sandboxmessage", "tenants/tenant", "monitoring/auditentry", "auth/user",
    "auth/group", "tenants/membership",
]  # fmt: skip
FORMS = [
    "notification_processor/messagetemplate", "notification_processor/workflow", "user_preferences/customer",
    "tenants/apikey", "tenants/tenant", "delivery_gateway/suppression", "auth/user",
]  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def _something_to_see(product: Product) -> None:
    """A message in the sandbox, so that the lists have a row."""
    message = {"channel": "email", "to": "a@example.com", "subject": "Hi", "body": "Hi"}
    sent = product.sandbox("POST", "/v1/notify/", message)
    assert sent.status == 202, sent.body
    product.sandbox.settled_one(sent.body["id"])


def test_sign_in_page_is_accessible(stranger: Page, is_accessible: Callable[[Page], None]) -> None:
    stranger.goto("/admin/")

    is_accessible(stranger)


def test_sign_in_works_from_the_keyboard(stranger: Page) -> None:
    stranger.goto("/admin/")

    expect(stranger.get_by_label("Username")).to_be_focused()
    stranger.keyboard.type(NAME)
    stranger.keyboard.press("Tab")
    stranger.keyboard.type(PASSWORD)
    stranger.keyboard.press("Enter")

    expect(stranger.get_by_role("link", name="Messages", exact=True)).to_be_visible()


def test_lists_open(page: Page) -> None:
    assert violations(page, [f"/admin/{path}/" for path in LISTS]) == {}


def test_forms_open(page: Page) -> None:
    assert violations(page, [f"/admin/{path}/add/" for path in FORMS]) == {}


def test_pages_open_in_the_dark(dark_page: Page) -> None:
    paths = ["/admin/", "/admin/delivery_gateway/notificationlog/", "/admin/tenants/apikey/add/"]

    assert violations(dark_page, paths) == {}
    expect(dark_page.locator("html.dark")).to_be_attached()


def violations(page: Page, paths: list[str]) -> dict[str, list[str]]:
    """What axe-core finds serious, by page."""
    found = {}
    for path in paths:
        page.goto(path)
        found[path] = serious_violations(page)
    return {path: rules for path, rules in found.items() if rules}


def test_sidebar_leads_from_place_to_place(page: Page) -> None:
    page.goto("/admin/")

    for name in ("Messages", "Dead letters", "Templates", "Workflows", "Customers", "Integrations", "Sandbox"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_row_of_a_list_is_reached_and_opened_by_keyboard(page: Page) -> None:
    page.goto("/admin/delivery_gateway/notificationlog/")

    page.locator("#result_list tbody tr a").first.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("timeline", exact=False).first).to_be_visible()
