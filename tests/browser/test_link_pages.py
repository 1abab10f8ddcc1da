"""What is behind the links of mails besides the preference page: to unsubscribe, and to ask for a fresh link."""

import os
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import serious_violations
from tests.flow.stack import wait_until
from tests.mission.product import Product


@pytest.fixture(params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, chromium: Browser, product: Product) -> Iterator[tuple[Page, str]]:
    """With a browser that may say that an old link is gone (410)."""
    settings = {"base_url": product.url, "color_scheme": request.param, "java_script_enabled": False}
    with chromium.new_context(**settings, locale="en", viewport={"width": 640, "height": 480}) as context:
        context.set_default_timeout(15_000)
        yield context.new_page(), request.param


def pictured(page: Page, tmp_path: Path, name: str) -> None:
    page.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"{name}.png")


def received(product: Product, to: str) -> list[EmailMessage]:
    return [mail.message for mail in product.smtp.received if mail.message["To"] == to]


def test_link_called_back_offers_a_fresh_one(product: Product, visitor: tuple[Page, str], tmp_path: Path) -> None:
    page, scheme = visitor
    user = f"lost-{scheme}"
    product.live("POST", "/api/v1/customers/", {"user_id": user, "email": f"{user}@example.com"})
    made = product.live("POST", f"/v1/subscribers/{user}/preference-links/").body["url"]
    product.live("DELETE", f"/v1/subscribers/{user}/preference-links/")

    page.goto("/p/" + made.rpartition("/")[2])
    pictured(page, tmp_path, f"link-expired-{scheme}")
    page.get_by_role("button", name="Mail me a fresh link").click()

    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    wait_until(lambda: received(product, f"{user}@example.com"), seconds=15, what="the letter")
    [letter] = received(product, f"{user}@example.com")
    [fresh] = re.findall(r"http://notify\.example\.com(/p/[\w-]+)", letter.get_content())
    page.goto(fresh)
    expect(page.get_by_role("heading", name="Your notifications")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_unsubscribe_page_is_accessible_and_undone(
    product: Product, chromium: Browser, tmp_path: Path, language: str
) -> None:
    to = f"reader-{language}@example.com"
    news = {"channel": "email", "to": to, "subject": "News", "body": "Hello", "category": "news"}
    assert product.live("POST", "/v1/notify/", news).status == 202
    [mail] = wait_until(lambda: received(product, to), seconds=15, what="the mail")
    [link] = re.findall(r"<http://notify\.example\.com(/u/[\w-]+)>", mail["List-Unsubscribe"])
    with chromium.new_context(base_url=product.url, locale=language, viewport={"width": 640, "height": 480}) as context:
        page = context.new_page()
        page.goto(link)
        assert serious_violations(page) == []
        pictured(page, tmp_path, f"unsubscribe-{language}")
        asked = page.get_by_role("heading").inner_text()

        page.get_by_role("button").click()
        assert serious_violations(page) == []
        assert page.get_by_role("heading").inner_text() != asked

        page.get_by_role("button").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert product.live("POST", "/v1/notify/", news).status == 202
        wait_until(lambda: len(received(product, to)) == 2, seconds=15, what="mail after the undo")
