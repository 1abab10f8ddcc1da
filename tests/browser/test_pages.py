"""What is behind a row: the message as its reader sees it, and its story."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_violations

pytestmark = pytest.mark.usefixtures("day_of_traffic")


@pytest.mark.parametrize("channel", ["email", "slack", "telegram", "in_app", "webhook"])
def test_message_is_drawn_as_its_reader_sees_it(channel: str, page: Page) -> None:
    page.goto(f"/admin/delivery_gateway/notificationlog/?channel={channel}&status=sent")
    page.locator("#result_list tbody tr a").first.click()

    expect(page.locator(".drawn .subject").first).to_be_visible()
    assert serious_violations(page) == []


def test_mail_is_shown_in_a_frame_that_loads_nothing(dark_page: Page) -> None:
    dark_page.goto("/admin/delivery_gateway/notificationlog/?channel=email&status=sent&mode=live")
    row = dark_page.locator("#result_list tbody tr").filter(has_text="Order ")  # other tests send plain mail
    row.locator("a").first.click()

    letter = dark_page.frame_locator("iframe.letter")
    expect(letter.locator("h1")).to_be_visible()
    assert serious_violations(dark_page) == []


def test_failed_message_tells_its_story_and_leads_to_its_dead_letter(page: Page) -> None:
    page.goto("/admin/delivery_gateway/notificationlog/?status=failed")
    page.locator("#result_list tbody tr a").first.click()

    expect(page.locator(".timeline").filter(has_text="accepted")).to_contain_text("dead letter")
    page.locator(".readonly a[href*=deadletter]").click()
    page.wait_for_url("**/deadletter/**")


def test_sandbox_shows_what_a_test_key_would_have_sent(page: Page) -> None:
    page.goto("/admin/delivery_gateway/sandboxmessage/")
    page.locator("#result_list tbody tr a").first.click()

    expect(page.locator(".drawn")).to_be_visible()
    assert serious_violations(page) == []
