"""Pictures for the docs: `SCREENSHOTS=docs/screenshots make browser` takes them anew."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.png import shrink

FOLDER = os.environ.get("SCREENSHOTS", "")
LARGEST = 200_000  # bytes
LOOKS = ("light", "dark")


def taken(page: Page, name: str, *, is_whole: bool = False) -> None:
    """As small as it gets. Nothing when nobody asked for pictures."""
    if FOLDER:
        target = Path(FOLDER) / f"{name}.png"
        page.screenshot(path=target, full_page=is_whole)
        assert shrink(target) <= LARGEST, f"{target.name} is too large"


def taken_in_both_looks(page: Page, name: str, *, is_whole: bool = False) -> None:
    """And back to the light."""
    for look in LOOKS if FOLDER else ():
        turn(page, look)
        taken(page, f"{name}-{look}", is_whole=is_whole)
    if FOLDER:
        turn(page, "light")


def turn(page: Page, look: str) -> None:
    """As the theme's own switch does it, without another visit to a page that may be the answer to a form."""
    page.evaluate(f"document.documentElement.classList.toggle('dark', {str(look == 'dark').lower()})")
