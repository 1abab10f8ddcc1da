"""From a cause to its letters delivered, by clicking: found, tested, counted, sent again, seen to arrive."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.pictures import taken_in_both_looks
from tests.flow.stack import wait_until
from tests.mission.product import Api, Product

CAUSES = "/admin/delivery_gateway/deadletter/causes/"
LETTERS = 4
NAMES = iter(("Harbour Coffee", "Harbour Tea", "Harbour Cakes"))
AT_MOST = 20_000  # milliseconds: a hook gets one letter a second


@dataclass(frozen=True)
class Shop:
    """Its Slack hook was gone when it sent these; now it is back."""

    name: str
    api: Api
    sent: list[str]

    def statuses(self) -> set[str]:
        return {self.api.settled_one(one)["status"] for one in self.sent}


@pytest.fixture
def shop(product: Product, day_of_traffic: None) -> Shop:
    name = next(NAMES)
    registered = product.anyone("POST", "/v1/tenants/register/", {"name": name, "email": "ops@example.com"})
    api, path = Api(product.url, registered.body["api_key"]), product.slack.path
    body = {"channel": "slack", "to": product.slack.url, "body": "Your table is ready"}
    product.slack.path = "/services/elsewhere"
    try:
        sent = [str(api("POST", "/v1/notify/", body).body["id"]) for _ in range(LETTERS)]
        assert {api.settled_one(one)["status"] for one in sent} == {"failed"}
    finally:
        product.slack.path = path
    product.slack.forget()
    return Shop(name, api, sent)


def cause_of(page: Page, shop: Shop) -> Locator:
    return page.locator(".cause").filter(has_text=shop.name)


def test_cause_is_tested_and_all_of_it_sent_again(page: Page, product: Product, shop: Shop) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Dead letters", exact=True).first.click()
    page.get_by_role("link", name="By cause").click()
    cause = cause_of(page, shop)
    expect(cause).to_contain_text(f"{LETTERS} letters")
    assert serious_violations(page) == []
    taken_in_both_looks(page, "triage")

    cause.get_by_role("button", name="Test the cause").click()
    expect(page.get_by_text("Sent again: this page shows what comes of it.")).to_be_visible()
    wait_until(lambda: len(product.slack.received) == 1, seconds=20, what="the letter that tests the cause")
    wait_until(lambda: page.reload() and page.locator(".readonly .pill-good", has_text="sent").count(), seconds=20)
    assert serious_violations(page) == []

    page.goto(CAUSES)
    cause.get_by_role("button", name="Send all again…").click()
    expect(page.get_by_text(f"Send {LETTERS - 1} letters again")).to_be_visible()
    assert serious_violations(page) == []
    page.get_by_label("At most so many a second").fill("1")
    taken_in_both_looks(page, "replay-question")
    page.get_by_role("button", name="Send them again").click()

    job = page.locator("#job")
    expect(job).to_contain_text("running")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    assert serious_violations(page) == []
    expect(job).to_contain_text(f"{LETTERS - 1} of {LETTERS - 1}", timeout=AT_MOST)
    expect(job).to_contain_text("finished", timeout=AT_MOST)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    assert shop.statuses() == {"sent"}
    assert len(product.slack.received) == LETTERS
    page.reload()
    expect(job).to_contain_text(f"sent: {LETTERS - 1}")
    taken_in_both_looks(page, "replay")

    page.goto(CAUSES)
    expect(cause).to_have_count(0)
    page.get_by_role("link", name="Audit trail", exact=True).click()
    summary = page.locator("#result_list tr").filter(has_text=shop.name).first
    expect(summary).to_contain_text(f"{LETTERS - 1} of {LETTERS - 1} dead letters sent again")


def test_triage_needs_the_keyboard_only(page: Page, shop: Shop) -> None:
    page.goto(CAUSES)
    again = cause_of(page, shop).get_by_role("button", name="Send all again…")
    tab_to(page, again)
    page.keyboard.press("Enter")

    rate = page.get_by_label("At most so many a second")
    expect(rate).to_be_visible()
    tab_to(page, rate)
    page.keyboard.type("100")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send them again")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#job")).to_contain_text("finished", timeout=AT_MOST)
    assert shop.statuses() == {"sent"}


def test_cause_is_discarded_with_a_reason_from_the_keyboard(page: Page, shop: Shop) -> None:
    page.goto(CAUSES)
    cause = cause_of(page, shop)
    tab_to(page, cause.get_by_text("Discard", exact=True))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(cause.get_by_label("Why")).to_be_focused()
    assert serious_violations(page) == []
    page.keyboard.type("The café has closed.")
    page.keyboard.press("Enter")

    expect(page.get_by_text(f"{LETTERS} discarded.")).to_be_visible()
    expect(cause).to_have_count(0)
    assert shop.statuses() == {"failed"}


def tab_to(page: Page, wanted: Locator) -> None:
    """As somebody without a mouse gets there."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if wanted.evaluate("(it) => it === document.activeElement"):
            return
    raise AssertionError("It is not reached with the Tab key.")
