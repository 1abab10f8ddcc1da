"""The pictures in the docs: `SCREENSHOTS=docs/screenshots make browser ARGS="-k pictures"` takes these anew."""

import pytest
from playwright.sync_api import Page

from tests.browser.pictures import FOLDER, taken

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


def take_all(page: Page, look: str) -> None:
    for name, path in PICTURES.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        taken(page, f"{name}-{look}", is_whole=name == "dashboard")


def test_pictures_in_the_light(page: Page) -> None:
    take_all(page, "light")


def test_pictures_in_the_dark(dark_page: Page) -> None:
    take_all(dark_page, "dark")
