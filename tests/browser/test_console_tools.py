"""What the console does besides showing: switching channels, testing integrations, sending again, narrowing keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import taken_in_both_looks
from tests.mission.product import Product

pytestmark = pytest.mark.usefixtures("day_of_traffic")
Check = Callable[[Page], None]
MATRIX = "/admin/notification_processor/workflow/matrix/"


def page_of(kind: str, row_id: str) -> str:
    return f"/admin/{kind}/{row_id}/change/"


@pytest.fixture
def captured(product: Product) -> str:
    """A notification that a test key sent."""
    message = {"channel": "email", "to": "reader@example.com", "subject": "Once more", "body": "As it was"}
    sent = product.sandbox("POST", "/v1/notify/", message)
    assert sent.status == 202, sent.body
    product.sandbox.settled_one(sent.body["id"])
    return str(sent.body["id"])


def test_channel_of_a_workflow_is_switched_in_the_matrix(page: Page, is_accessible: Check) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Matrix", exact=True).click()
    is_accessible(page)
    taken_in_both_looks(page, "matrix")
    switch = page.locator("input[name=channel]:not(:checked)").first
    name = switch.get_attribute("aria-label") or ""

    page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("1 workflow changed")).to_be_visible()
    expect(page.get_by_label(name, exact=True)).to_be_checked()
    page.get_by_label(name, exact=True).uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label(name, exact=True)).not_to_be_checked()


def test_matrix_leads_to_what_is_missing(dark_page: Page, is_accessible: Check) -> None:
    dark_page.goto(MATRIX)
    is_accessible(dark_page)

    dark_page.get_by_role("link", name="write one").first.click()

    expect(dark_page.locator("#id_name")).not_to_have_value("")


def test_customer_leads_to_what_reaches_them(page: Page, is_accessible: Check) -> None:
    page.goto("/admin/user_preferences/customer/")
    page.locator("#result_list tbody tr a").first.click()
    page.get_by_role("link", name="What reaches them").click()

    expect(page.locator(".said-allowed").first).to_contain_text("told")
    expect(page.get_by_text("system_default").first).to_be_visible()
    is_accessible(page)
    taken_in_both_looks(page, "reach")


def test_integration_is_tested_by_a_message_that_arrives(page: Page, product: Product, is_accessible: Check) -> None:
    live, _ = product.tenant()
    made = live("POST", "/v1/integrations/", {"channel": "slack", "config": {"url": product.slack.url}})
    assert made.status == 201, made.body
    page.goto(page_of("tenants/integration", made.body["id"]))
    page.get_by_role("link", name="Send a test message").click()
    is_accessible(page)
    before = len(product.slack.received)

    page.get_by_role("button", name="Send it").click()

    expect(page.locator("#told .pill").first).to_have_text("sent")
    assert len(product.slack.received) == before + 1
    is_accessible(page)


@pytest.mark.parametrize(("link", "to"), [("Send again", "reader@example.com"), ("Send to me", "ops@example.com")])
def test_message_is_sent_once_more_and_both_lead_to_each_other(
    link: str, to: str, captured: str, page: Page, is_accessible: Check
) -> None:
    page.goto(page_of("delivery_gateway/notificationlog", captured))
    page.get_by_role("link", name=link).click()
    expect(page.get_by_text("stays in the sandbox")).to_be_visible()
    is_accessible(page)

    page.get_by_role("button", name="Yes, send it").click()

    expect(page.locator("#told .pill").first).to_have_text("sent")
    expect(page.locator("#told").get_by_text(to, exact=True)).to_be_visible()
    page.locator(f"#told a[href*='{captured}']").click()
    expect(page.locator("#told").get_by_text("by operator")).to_be_visible()


def test_key_may_do_less_from_now_on(page: Page, product: Product, is_accessible: Check) -> None:
    live, _ = product.tenant()
    made = live("POST", "/v1/api-keys/", {"name": "Reports", "scopes": ["read", "send"]})
    assert made.status == 201, made.body
    page.goto(page_of("tenants/apikey", made.body["id"]))
    is_accessible(page)

    page.get_by_label("send – ").uncheck()
    page.get_by_role("button", name="Save", exact=True).first.click()

    expect(page.get_by_text("within five seconds")).to_be_visible()
    assert live("GET", "/v1/api-keys/").body["data"][0]["scopes"] == ["read"]
