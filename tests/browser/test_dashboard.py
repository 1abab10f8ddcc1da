"""The first page, with a day of traffic behind it: drawn, up to date, and leading on."""

import subprocess
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_violations
from tests.flow.stack import wait_until
from tests.mission.product import Product

INK = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value, place) => place % 4 === 3 && value > 0);
}"""


pytestmark = pytest.mark.usefixtures("day_of_traffic")


def is_drawn(page: Page) -> list[bool]:
    return [bool(canvas.evaluate(INK)) for canvas in page.locator("canvas[data-plot]").all()]


def test_plots_are_drawn_in_the_light(page: Page) -> None:
    page.goto("/admin/?mode=live")

    assert is_drawn(page) == [True] * 4
    assert serious_violations(page) == []


def test_plots_are_drawn_in_the_dark(dark_page: Page) -> None:
    dark_page.goto("/admin/?mode=live")

    assert is_drawn(dark_page) == [True] * 4
    assert serious_violations(dark_page) == []


@pytest.mark.parametrize("range_", ["1h", "7d"])
def test_choice_of_time_is_shown_at_once(range_: str, page: Page) -> None:
    page.goto("/admin/?mode=live")

    page.get_by_label("Time", exact=True).select_option(range_)

    page.wait_for_url(f"**/admin/?range={range_}**")
    expect(page.get_by_label("Time", exact=True)).to_have_value(range_)


def test_choice_of_tenant_changes_the_figures(page: Page) -> None:
    page.goto("/admin/?mode=live")
    everybody = page.locator(".tile strong").first.inner_text()

    page.get_by_label("Tenant", exact=True).select_option(label="Globex Tickets")

    expect(page.locator(".tile strong").first).not_to_have_text(everybody)


def test_figures_are_fetched_anew_without_leaving_the_page(page: Page, product: Product) -> None:
    page.goto("/admin/?mode=test&range=1h")
    before = page.locator(".tile strong").first.inner_text()
    body = {"channel": "email", "to": "a@example.com", "subject": "Hi", "body": "Hi"}
    sent = product.sandbox("POST", "/v1/notify/", body).body
    product.sandbox.settled_one(sent["id"])

    def refreshed() -> bool:
        with page.expect_response(lambda answer: "/admin/?mode=test" in answer.url):
            page.evaluate("htmx.trigger('#board', 'refresh')")
        return bool(page.locator(".tile strong").first.inner_text() != before)

    wait_until(refreshed, seconds=15, what="a new figure")
    wait_until(lambda: all(is_drawn(page)), seconds=5, what="the plots")


def test_cause_leads_to_its_dead_letters(page: Page) -> None:
    page.goto("/admin/?mode=live&range=7d")
    row = page.locator(".causes tbody tr").first
    code, count = row.locator("code").inner_text(), int(row.locator(".number").first.inner_text())

    row.get_by_role("link").click()

    expect(page.locator("#result_list tbody tr")).to_have_count(count)
    expect(page.locator("#result_list")).to_contain_text(code)


def test_numbers_of_a_plot_can_be_read(page: Page) -> None:
    page.goto("/admin/?mode=live")

    page.locator("#table-throughput summary").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#table-throughput tbody tr").first).to_be_visible()


def test_quickstart_of_an_empty_place_works_when_pasted(page: Page, product: Product) -> None:
    """What it sends is in the sandbox; the place it was shown for stays empty, for it registers one of its own."""
    name = "Newcomer"
    registered = product.anyone("POST", "/v1/tenants/register/", {"name": name, "email": "new@example.com"})
    assert registered.status == 201
    page.goto("/admin/")
    page.get_by_label("Tenant", exact=True).select_option(label=name)
    curl = page.locator("#curl").inner_text()

    done: Any = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=30)

    assert '"id"' in done.stdout, done.stdout + done.stderr

    def is_captured() -> bool:
        page.goto("/admin/delivery_gateway/sandboxmessage/")
        return "me@example.com" in page.locator("#result_list").inner_text()

    wait_until(is_captured, seconds=20, what="the message in the sandbox")
