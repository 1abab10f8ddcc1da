"""The inbox as its users have it: in pages of a real browser, under a strict Content-Security-Policy."""

import gzip
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.accessibility import serious_violations
from tests.browser.conftest import Complaints
from tests.flow.stack import wait_until
from tests.mission.product import Api, Product

SCRIPT = Path(__file__).resolve().parents[2] / "inbox/static/inbox/notification-inbox.js"
PAGE = "/demo/inbox/"
AT_ONCE = 1_000  # ms
MOST_BYTES = 15 * 1024


@pytest.fixture(scope="module")
def warm(shop: Product) -> None:
    """Workers that have had a message: the first of a new process takes longer, and is nobody's measure."""
    publish(shop)
    user, token = Api(shop.url), shop.live("POST", "/v1/subscribers/ann/inbox-tokens/", {}).body["token"]
    counts = partial(user, "GET", "/v1/inbox/counts/", Authorization=f"Bearer {token}")
    wait_until(lambda: counts().body["unread"], seconds=30, what="the first message")


@pytest.fixture
def tabs(chromium: Browser, shop: Product, warm: None) -> Iterator[Callable[..., Page]]:
    """Opens tabs of one browser. Each starts with an inbox that has been read."""
    read_all(shop)
    context: BrowserContext = chromium.new_context(base_url=shop.url, viewport={"width": 900, "height": 700})
    context.set_default_timeout(15_000)
    complaints = Complaints(shop.url)

    def opened(query: str = "", *, must_be_quiet: bool = True) -> Page:
        page = context.new_page()
        if must_be_quiet:
            complaints.listen_to(page)
        page.goto(f"{PAGE}{query}")
        expect(bell(page)).to_have_attribute("aria-label", "Notifications", timeout=15_000)
        return page

    yield opened
    context.close()
    assert complaints.found == []


def read_all(shop: Product) -> None:
    token = shop.live("POST", "/v1/subscribers/ann/inbox-tokens/", {}).body["token"]
    user = Api(shop.url)
    said: dict[str, Any] = {"filter": {}, "up_to": 10**9, "read": True}
    answer = user("POST", "/v1/inbox/notifications/mark/", said, Authorization=f"Bearer {token}")
    assert answer.status == 200, answer.body


def send(shop: Product, subject: str = "Hello", **when: str) -> None:
    body = {"channel": "in_app", "user_id": "ann", "subject": subject, "body": "From a terminal"}
    assert shop.live("POST", "/v1/notify/", body | when).status == 202


def publish(shop: Product) -> None:
    """An event, from which a workflow makes the message."""
    workflow = {"event_type": "BELL_RUNG", "channels": ["in_app"], "category": "bells"}
    assert shop.live("POST", "/v1/workflows/", workflow).status in (201, 409)
    event = {"event_type": "BELL_RUNG", "user_id": "ann", "payload": {}}
    assert shop.live("POST", "/api/events/", event).status == 202


def bell(page: Page) -> Locator:
    return page.locator("notification-inbox").get_by_role("button", name="Notifications").first


def expect_unread(page: Page, number: int, *, within: int = AT_ONCE) -> None:
    label = f"Notifications, {number} unread" if number else "Notifications"
    expect(bell(page)).to_have_attribute("aria-label", label, timeout=within)


def is_listening(page: Page) -> None:
    """Until this page, or another one of its browser, hears the stream."""
    page.wait_for_function("navigator.locks.query().then((locks) => locks.held.length > 0)")
    page.wait_for_timeout(500)


def test_component_is_small() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= MOST_BYTES


@pytest.mark.parametrize("door", [publish, send])
def test_message_rings_in_two_tabs_within_a_second(
    shop: Product, tabs: Callable[..., Page], door: Callable[[Product], None]
) -> None:
    one, two = tabs(), tabs()
    is_listening(one)

    door(shop)

    expect_unread(one, 1)
    expect_unread(two, 1)


def test_what_is_read_in_one_tab_is_read_in_the_other(shop: Product, tabs: Callable[..., Page]) -> None:
    one, two = tabs(), tabs()
    is_listening(one)
    send(shop, "Read me")
    expect_unread(two, 1, within=5_000)
    bell(one).click()

    one.get_by_role("button", name="Read me").click()

    expect_unread(one, 0)
    expect_unread(two, 0)


def test_what_came_while_the_server_was_away_is_there_afterwards(shop: Product, tabs: Callable[..., Page]) -> None:
    page = tabs(must_be_quiet=False)  # a browser says so itself when nobody answers
    is_listening(page)
    process = shop.stack.running.pop("streams")
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    send(shop)
    send(shop)

    shop.stack.streams(int(shop.stack.extra["INBOX_STREAM_URL"].rpartition(":")[2]))

    expect_unread(page, 2, within=20_000)
    page.wait_for_timeout(1_000)
    send(shop)
    expect_unread(page, 3)


def test_what_came_while_the_whole_server_was_away_is_there_afterwards(
    shop: Product, tabs: Callable[..., Page]
) -> None:
    page = tabs(must_be_quiet=False)
    is_listening(page)
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    send(shop, "While it was away", send_at=soon)
    send(shop, "And one more", send_at=soon)
    for name in ("web", "streams"):
        shop.stack.kill(name)

    shop.stack.web(port=int(shop.url.rpartition(":")[2]))
    shop.stack.streams(int(shop.stack.extra["INBOX_STREAM_URL"].rpartition(":")[2]))

    expect_unread(page, 2, within=30_000)
    page.wait_for_timeout(1_000)
    send(shop)
    expect_unread(page, 3)


def test_page_that_cannot_stream_polls(shop: Product, tabs: Callable[..., Page]) -> None:
    page = tabs(must_be_quiet=False)
    page.route("**/v1/inbox/stream/", lambda route: route.abort())
    page.goto(f"{PAGE}?poll=2")
    expect_unread(page, 0, within=5_000)

    send(shop)

    expect_unread(page, 1, within=2_000 + AT_ONCE)


def test_panel_is_used_with_a_keyboard(shop: Product, tabs: Callable[..., Page]) -> None:
    page = tabs()
    is_listening(page)
    send(shop, "First")
    send(shop, "Second")
    expect_unread(page, 2, within=5_000)

    bell(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Notifications")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("article").nth(1)).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(bell(page)).to_be_focused()


def test_all_is_marked_as_read_at_once(shop: Product, tabs: Callable[..., Page]) -> None:
    page = tabs()
    is_listening(page)
    send(shop)
    send(shop)
    expect_unread(page, 2, within=5_000)
    bell(page).click()

    page.get_by_role("button", name="Mark all as read").click()

    expect_unread(page, 0)


def test_words_of_a_message_are_words(shop: Product, tabs: Callable[..., Page]) -> None:
    page = tabs()
    is_listening(page)
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    send(shop, attack)
    expect_unread(page, 1, within=5_000)

    bell(page).click()

    expect(page.get_by_role("button", name=attack)).to_be_visible()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("light", "?theme=light"),
        ("dark", "?theme=dark"),
        ("right-to-left", "?theme=light&lang=ar"),
        ("german", "?lang=de"),
    ],
)
def test_inbox_is_accessible_and_as_shown_in_the_docs(
    shop: Product, chromium: Browser, tmp_path: Path, name: str, query: str
) -> None:
    read_all(shop)
    complaints = Complaints(shop.url)
    with chromium.new_context(base_url=shop.url, viewport={"width": 720, "height": 560}) as context:
        page = context.new_page()
        complaints.listen_to(page)
        page.goto(f"{PAGE}{query}")
        is_listening(page)
        page.locator("#send").click()
        page.locator("notification-inbox .badge").wait_for(state="visible")

        page.locator("notification-inbox .bell").click()
        page.locator("notification-inbox article").first.wait_for()

        assert serious_violations(page) == []
        folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
        page.screenshot(path=folder / f"inbox-{name}.png")
    assert complaints.found == []
