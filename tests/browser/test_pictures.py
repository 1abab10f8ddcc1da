"""The pictures in the docs: `SCREENSHOTS=docs/screenshots make browser ARGS="-k pictures"` takes them anew."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.png import shrink

FOLDER = os.environ.get("SCREENSHOTS", "")
LARGEST = 200_000  # bytes
PICTURES = {
    "dashboard": "/admin/?mode=live",
    "messages": "/admin/delivery_gateway/notificationlog/",
    "dead-letters": "/admin/delivery_gateway/deadletter/",
    "customers": "/admin/user_preferences/customer/",
}


pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="pictures are taken when SCREENSHOTS names a folder for them"),
    pytest.mark.usefixtures("day_of_traffic"),
]


def taken(page: Page, theme: str) -> dict[str, int]:
    """The pictures that are too large, with their bytes."""
    sizes = {}
    for name, path in PICTURES.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        target = Path(FOLDER) / f"{name}-{theme}.png"
        page.screenshot(path=target, full_page=name == "dashboard")
        sizes[target.name] = shrink(target)
    return {name: size for name, size in sizes.items() if size > LARGEST}


def test_pictures_in_the_light(page: Page) -> None:
    assert taken(page, "light") == {}


def test_pictures_in_the_dark(dark_page: Page) -> None:
    assert taken(dark_page, "dark") == {}
