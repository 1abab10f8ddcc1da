"""What axe-core finds."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")


def serious_violations(page: Page) -> list[str]:
    """Each rule that is broken, how badly, and where: one line a rule."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']} "
        + "; ".join(f"{' '.join(map(str, node['target']))} {node['html'][:160]}" for node in one["nodes"][:4])
        for one in found
        if one["impact"] in SERIOUS
    ]
