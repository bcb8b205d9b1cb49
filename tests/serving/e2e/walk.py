"""A picture of every state of the pages: `python -m tests.serving.e2e.walk FOLDER [LANGUAGE ...]`.

In light and dark, on a desktop, a phone and a narrow phone. Each is looked at by axe-core, too, where npm has brought
it; prints what it finds, and what is wider than its screen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page

from tests.serving.e2e.conftest import LIMITS, ROOT, chromium, running
from tests.serving.e2e.states import ADMIN_PASSWORD, HELD_UP, HURRIED, STATES, WITHOUT_SCRIPT, State

AXE = ROOT / "serving/viewer/node_modules/axe-core/axe.min.js"
HELD_UP_SITE = (str(ROOT / "tests/serving/held_up_site.py"),)
ROOM = 8  # jobs that the site without a worker takes
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "narrow": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
}


NO_TIMERS = (
    "window.setTimeout = (call) => { Promise.resolve().then(call); }"  # which a page without scripts does not have
)


@dataclass(frozen=True)
class Part:
    """Some states of a site, and the browser that sees them."""

    address: str
    states: Mapping[str, State]
    browser: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def sites(folder: Path) -> Iterator[tuple[Part, ...]]:
    """Three sites, and the states of each: one at work, one that never does its jobs, one that takes few."""
    folders = [folder / "at-work", folder / "held-up", folder / "hurried"]
    for each in folders:
        each.mkdir()
    settings = {"DEEP3D_ADMIN_PASSWORD": ADMIN_PASSWORD, **LIMITS}
    with (
        running(folders[0], **settings) as at_work,
        running(folders[1], HELD_UP_SITE, "/healthz", DEEP3D_MAX_QUEUE=str(ROOM)) as held_up,
        running(folders[2], HELD_UP_SITE, "/healthz", DEEP3D_SUBMITS_PER_MINUTE="1") as hurried,
    ):
        yield (
            Part(at_work, STATES),
            Part(at_work, WITHOUT_SCRIPT, {"java_script_enabled": False}),
            Part(held_up, HELD_UP),
            Part(hurried, HURRIED),
        )


def walk(browser: Browser, part: Part, **screen: Any) -> Iterator[tuple[str, Page]]:
    """One visitor's page in each of the states, by name."""
    context = browser.new_context(base_url=part.address, reduced_motion="reduce", **part.browser, **screen)
    context.set_default_timeout(60_000)
    page = context.new_page()
    for name, lead in part.states.items():
        lead(page)
        yield name, page
    context.close()


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong, if it is there, and whether the page is wider than its screen."""
    found = []
    if AXE.exists():
        if page.evaluate("matchMedia('(scripting: none)').matches"):
            page.evaluate(NO_TIMERS)
        page.evaluate(AXE.read_text())
        violations = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        found += [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"]]
    screen = page.viewport_size  # innerWidth of a phone grows with a page that is too wide
    if screen and page.evaluate("document.documentElement.scrollWidth") > screen["width"]:
        found.append("wider than the screen")
    return found


def main(folder: Path, languages: list[str]) -> int:
    """Walk, and leave the pictures in a folder; 1 if anything is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for language, scheme, size in product(languages, ("light", "dark"), SCREENS):
        settings = {**SCREENS[size], "locale": language, "color_scheme": scheme}
        # New sites each time: those that are full or in a hurry stay so.
        with TemporaryDirectory() as scratch, sites(Path(scratch)) as parts, chromium() as browser:
            for name, page in chain.from_iterable(walk(browser, part, **settings) for part in parts):
                label = f"{name}-{language}-{scheme}-{size}"
                page.screenshot(path=folder / f"{label}.jpg", full_page=True, type="jpeg", quality=80)
                for fault in faults(page):
                    wrong = 1
                    sys.stdout.write(f"{label}: {fault}\n")
                    sys.stdout.flush()
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:] or ["en"]))
