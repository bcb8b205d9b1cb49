"""The site as `deep3d serve` runs it, and Debian's Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, sync_playwright

ROOT = Path(__file__).parents[3]
PHOTO = ROOT / "docs/sample/astronaut.jpg"
SERVE = ("-m", "deep3d", "serve")
MAX_UPLOAD_MB = 30  # of one job: less than usual, which takes a browser long
MAX_FACES = 2  # in one job: few, so that a small collage has more
LIMITS = {"DEEP3D_MAX_FACES": str(MAX_FACES), "DEEP3D_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB)}
PATIENCE_SECONDS = 300  # until the network is loaded, on a machine that has other things to do
DEVICES = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
COUNT_FRAMES = """
    window.frames_drawn = 0;
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => request((now) => { window.frames_drawn++; draw(now); });
"""


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site that can take photos, run as people run it."""
    with running(tmp_path_factory.mktemp("site"), **LIMITS) as address:
        yield address


@contextmanager
def running(folder: Path, program: Sequence[str] = SERVE, asked: str = "/readyz", **environ: str) -> Iterator[str]:
    """A site with its files in a folder, for the block; the address, once it answers there with 200 what is asked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        command = [sys.executable, *program, "--port", str(port)]
        settings = {**os.environ, "DEEP3D_DATA_DIR": str(folder), **environ}
        site = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(address + asked, site, folder / "log")
        yield address
    finally:
        site.terminate()
        site.wait(PATIENCE_SECONDS)


def _wait_until_it_answers(url: str, site: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and site.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the site does not get ready:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """As `chromium`, for a module.

    Not for the whole session: while it is open, playwright's event loop runs, and others cannot have one of their own.
    """
    with chromium() as browser:
        yield browser


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without a GPU it draws WebGL in software."""
    executable = shutil.which("chromium")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed; .ci/run installs it")
        pytest.skip("chromium is not installed (Debian package `chromium`)")
    flags = ["--enable-unsafe-swiftshader", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """The kind of machine that the browser runs on."""
    return request.param


@pytest.fixture
def context(browser: Browser, device: str, address: str) -> Iterator[BrowserContext]:
    """A new browser session, with pictures at once and not after a movement."""
    context = browser.new_context(base_url=address, reduced_motion="reduce", **DEVICES[device])
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    context.add_init_script(COUNT_FRAMES)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page; in the end nothing may have been asked of anyone else, and no script or style refused."""
    page = context.new_page()
    elsewhere: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda sent: elsewhere.append(sent.url) if not _ours(sent.url, address) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    assert elsewhere == []
    assert complaints == []


def _ours(url: str, address: str) -> bool:
    return url.startswith((f"{address}/", f"blob:{address}/", "data:"))


def submitted(page: Page, photo: Path | FilePayload, faces: str | None = None) -> None:
    """Send one photo by the form."""
    page.goto("/")
    page.set_input_files("#photo", photo)
    if faces is not None:
        page.locator("details.options summary").click()
        page.get_by_text(faces, exact=True).click()
    page.get_by_role("checkbox", name="I may use these photos").check()
    page.get_by_role("button", name="Make the face").click()
