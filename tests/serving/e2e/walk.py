"""A picture of every state of the pages: `python -m tests.serving.e2e.walk FOLDER [LANGUAGE ...]`.

In light and dark, on a desktop, a phone and a narrow phone. Each is looked at by axe-core, too, where npm has brought
it; prints what it finds, and what is wider than its screen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page

from tests.serving.e2e.conftest import LIMITS, ROOT, chromium, running
from tests.serving.e2e.states import ADMIN_PASSWORD, HELD_UP, STATES, State

AXE = ROOT / "serving/viewer/node_modules/axe-core/axe.min.js"
HELD_UP_SITE = (str(ROOT / "tests/serving/held_up_site.py"),)
ROOM = 8  # jobs that the site without a worker takes
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "narrow": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
}


@contextmanager
def sites(folder: Path) -> Iterator[tuple[tuple[str, Mapping[str, State]], ...]]:
    """Two sites, and the states of each: one at work, one that takes a few jobs and never does them."""
    both = [folder / "at-work", folder / "held-up"]
    for each in both:
        each.mkdir()
    settings = {"DEEP3D_ADMIN_PASSWORD": ADMIN_PASSWORD, **LIMITS}
    with (
        running(both[0], **settings) as at_work,
        running(both[1], HELD_UP_SITE, "/healthz", DEEP3D_MAX_QUEUE=str(ROOM)) as held_up,
    ):
        yield (at_work, STATES), (held_up, HELD_UP)


def walk(browser: Browser, address: str, states: Mapping[str, State], **screen: Any) -> Iterator[tuple[str, Page]]:
    """One visitor's page in each of the states, by name."""
    context = browser.new_context(base_url=address, reduced_motion="reduce", **screen)
    context.set_default_timeout(60_000)
    page = context.new_page()
    for name, lead in states.items():
        lead(page)
        yield name, page
    context.close()


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong, if it is there, and whether the page is wider than its screen."""
    found = []
    if AXE.exists():
        page.evaluate(AXE.read_text())
        violations = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        found += [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]
    if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("wider than the screen")
    return found


def main(folder: Path, languages: list[str]) -> int:
    """Walk, and leave the pictures in a folder; 1 if anything is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with TemporaryDirectory() as scratch, sites(Path(scratch)) as both, chromium() as browser:
        for language, scheme, size, (address, states) in product(languages, ("light", "dark"), SCREENS, both):
            for name, page in walk(browser, address, states, **SCREENS[size], locale=language, color_scheme=scheme):
                label = f"{name}-{language}-{scheme}-{size}"
                page.screenshot(path=folder / f"{label}.jpg", full_page=True, type="jpeg", quality=80)
                for fault in faults(page):
                    wrong = 1
                    sys.stdout.write(f"{label}: {fault}\n")
                    sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:] or ["en"]))
