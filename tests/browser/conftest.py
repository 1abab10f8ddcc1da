"""A Chromium, the running product, and pages that must not complain.

`page` and `dark_page` are signed in as a superuser. Whatever a page writes to the console as an error, throws, or
fails to load from the product fails the test that opened it.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.browser.accessibility import serious_violations
from tests.flow.stack import free_port
from tests.mission.product import Api, Product
from tests.mission.product import product as running_product

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
WINDOW = {"width": 1440, "height": 900}
NAME, PASSWORD = "operator", "correct horse battery"
SECONDS = 15


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the product to start, too."""
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("a running product needs PostgreSQL: use make browser")
    settings = {"COOKIES_SECURE": "0", "PUBLIC_URL": "http://notify.example.com"}
    with running_product(tmp_path_factory.mktemp("browser"), **settings) as running:
        made = running.manage(
            "createsuperuser", "--noinput", f"--username={NAME}", "--email=ops@example.com",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product as `make run` has it: with its demo page and tenant, and live inboxes."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("a running product needs PostgreSQL: use make browser")
    port = free_port()
    extra = {"DEBUG": "1", "INBOX_STREAM_URL": f"http://127.0.0.1:{port}", "RECIPIENT_RATE_LIMIT": ""}
    with running_product(tmp_path_factory.mktemp("inbox"), **extra) as running:
        made = json.loads(running.manage("demo", "--json").stdout)
        running.live = Api(running.url, made["api_key"])
        running.stack.streams(port)
        yield running


@pytest.fixture(scope="session")
def day_of_traffic(product: Product) -> None:
    """Two shops and some 3,000 messages: `manage.py seed_demo`."""
    seeded = product.manage("seed_demo")
    assert seeded.returncode == 0, seeded.stderr


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = driver.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, product: Product) -> Any:
    """Cookies of somebody who has typed name and password."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{product.url}/admin/")
        page.fill("[name=username]", NAME)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{product.url}/admin/")
        return context.storage_state()


@pytest.fixture
def page(chromium: Browser, product: Product, signed_in: Any) -> Iterator[Page]:
    with opened(chromium, product, storage_state=signed_in, color_scheme="light") as page:
        yield page


@pytest.fixture
def dark_page(chromium: Browser, product: Product, signed_in: Any) -> Iterator[Page]:
    with opened(chromium, product, storage_state=signed_in, color_scheme="dark") as page:
        yield page


@pytest.fixture
def stranger(chromium: Browser, product: Product) -> Iterator[Page]:
    """Not signed in."""
    with opened(chromium, product, color_scheme="light") as page:
        yield page


@pytest.fixture
def is_accessible() -> Callable[[Page], None]:
    """Fails with what axe-core finds serious or critical on the page as it is now."""

    def check(page: Page) -> None:
        assert serious_violations(page) == []

    return check


@dataclass
class Complaints:
    """What went wrong on a page, gathered while it is used."""

    url: str
    found: list[str] = field(default_factory=list)

    def listen_to(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.found.append(f"thrown: {error}"))
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.url.startswith(self.url):
            self.found.append(f"{response.status}: {response.url}")


@contextmanager
def opened(chromium: Browser, product: Product, **options: Any) -> Iterator[Page]:
    """A page whose relative addresses are the product's."""
    context: BrowserContext = chromium.new_context(base_url=product.url, viewport=WINDOW, **options)
    context.set_default_timeout(SECONDS * 1000)
    complaints = Complaints(product.url)
    page = context.new_page()
    complaints.listen_to(page)
    try:
        yield page
    finally:
        context.close()
    assert complaints.found == []
