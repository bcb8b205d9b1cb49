"""How soon a finished face is seen: a browser that has never been there opens its page."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from serving.loadtest.local_site import LocalSite
from serving.loadtest.report import Report, quantile
from serving.loadtest.servers import ServerMissing

PATIENCE_MS = 60_000


def run_first_view(local: LocalSite, photo: Path, rounds: int) -> Report:
    """Open the page of a finished face again and again, each time without anything cached.

    Raises: ServerMissing without Playwright and Chromium, Declined.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ServerMissing("playwright: not installed; it comes with the extra `dev`") from error
    executable = shutil.which("chromium")
    if executable is None:
        raise ServerMissing("chromium: not installed; it is in the system's package chromium")
    client = local.client()
    job = client.submit([photo])
    client.wait(job)
    seconds = []
    # Without a GPU it draws in software; as root it has no sandbox.
    flags = ["--enable-unsafe-swiftshader", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            start = time.perf_counter()
            page.goto(local.address + job["links"]["page"])
            page.wait_for_selector(".viewer.ready", timeout=PATIENCE_MS)
            seconds.append(time.perf_counter() - start)
            context.close()
        browser.close()
    return Report({"first view of a face, median (s)": quantile(seconds, 0.5), "longest (s)": quantile(seconds, 1)})
