"""States of the pages in which something was hidden, lost or broken once."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.serving.e2e.conftest import DEVICES, PHOTO, submitted
from tests.serving.e2e.states import lost, still, too_much

EXAMPLE = "/examples/mira"
MOVED = """() => new Promise((resume) => new PerformanceObserver((list) => resume(
  list.getEntries().reduce((sum, each) => sum + each.value, 0))).observe({ type: "layout-shift", buffered: true }) ||
  setTimeout(() => resume(0), 500))"""
BREAKS_OFF = """
    const whole = window.fetch;
    window.asked = [];
    window.fetch = async (url, options = {}) => {
      const answer = await whole(url, options);
      if (!String(url).includes("face.web.glb")) return answer;
      asked.push(options.headers?.Range ?? "");
      if (asked.length > 1) return answer;
      const part = new Uint8Array((await answer.arrayBuffer()).slice(0, 100000));
      return new Response(new ReadableStream({
        start: (stream) => stream.enqueue(part),
        pull: (stream) => stream.error(new TypeError("network error")),
      }));
    };"""
DROP = """async (address) => {
  const photo = await (await fetch(address)).blob();
  const carried = new DataTransfer();
  carried.items.add(new File([photo], "dropped.jpg", { type: "image/jpeg" }));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.querySelector("footer").dispatchEvent(
      new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_the_browsers_own_file_input_is_never_seen(page: Page) -> None:
    page.goto("/")
    page.locator("#photo").focus()
    expect(page.locator("#photo")).to_have_css("opacity", "0")
    page.set_input_files("#photo", PHOTO)
    page.get_by_role("button", name="Make the face").click()
    expect(page.get_by_text("Please confirm this first.")).to_be_visible()
    for field in page.locator("input[type=file]").all():
        expect(field).to_have_css("opacity", "0")
        box = field.bounding_box()
        assert box is None or box["width"] * box["height"] <= 1


def test_a_photo_that_is_dropped_beside_the_box_is_taken(page: Page) -> None:
    page.goto("/")
    page.evaluate(DROP, f"{EXAMPLE.replace('/examples', '/static/examples')}/photo.jpg")
    expect(page.get_by_role("list", name="Chosen photos").get_by_text("dropped.jpg")).to_be_visible()
    assert page.url.endswith("/")


def test_clay_has_the_same_light_beside_the_photo(page: Page) -> None:
    page.goto(EXAMPLE)
    page.wait_for_selector(".viewer.moving")
    page.get_by_role("radio", name="Clay").check()
    alone = brightness(page)
    page.get_by_role("switch", name="Compare with the photo").check()
    line = page.get_by_role("slider", name="Line between photo and model")
    expect(line).to_be_visible()
    line.press("Home")  # all of it is the model
    assert 0.7 < brightness(page) / alone < 1.4


def brightness(page: Page) -> float:
    """Of the middle of the stage, where the cheeks and the nose are."""
    page.wait_for_timeout(700)
    with Image.open(io.BytesIO(page.locator("[data-part=stage]").screenshot())) as picture:
        width, height = picture.size
        middle = (int(0.42 * width), int(0.42 * height), int(0.58 * width), int(0.58 * height))
        return float(np.asarray(picture.convert("L").crop(middle)).mean())


def test_why_pictures_at_some_angles_cannot_be_made_is_said(page: Page) -> None:
    submitted(page, PHOTO)
    page.wait_for_selector(".viewer.moving")
    for typed, reason in (("ninety, 0", "list of numbers"), ("200", "give degrees from -180 to 180")):
        page.fill("#yaw", typed)
        page.get_by_role("button", name="Pictures as ZIP").click()
        expect(page.locator("[data-slow-status]")).to_have_text(re.compile(f"yaw: .*{reason}"))


def test_without_javascript_a_face_is_shown_as_a_picture(browser: Browser, address: str, device: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False, **DEVICES[device])
    page = context.new_page()
    page.goto(EXAMPLE)
    box = page.locator("noscript img").bounding_box()
    assert box is not None and box["width"] > 300 and box["height"] > 60
    expect(page.locator(".loading")).to_be_hidden()
    page.goto("/")
    expect(page.locator("#photo")).to_be_visible()
    expect(page.get_by_text("or drop them anywhere")).to_be_hidden()  # which a script has to catch
    page.goto("/live")
    expect(page.locator("noscript .card")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_hidden()
    context.close()


def test_a_face_that_does_not_come_is_not_laid_to_the_browser(page: Page) -> None:
    lost(page)
    expect(page.get_by_text("The face could not be loaded")).to_be_visible()
    expect(page.get_by_text("This browser cannot show 3D")).to_be_hidden()


def test_a_face_that_breaks_off_goes_on_from_there(page: Page) -> None:
    page.add_init_script(BREAKS_OFF)
    page.goto(EXAMPLE)
    page.wait_for_selector(".viewer.ready")
    assert page.evaluate("asked") == ["", "bytes=100000-"]


def test_the_photo_has_the_connection_to_itself_until_it_is_seen(page: Page) -> None:
    asked: list[str] = []
    held: list[Route] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.route("**/preview.jpg*", lambda route: held.append(route))
    page.goto(EXAMPLE, wait_until="domcontentloaded")
    page.wait_for_timeout(500)
    assert len(held) == 1
    assert not [url for url in asked if "viewer.js" in url or "face.web.glb" in url]
    held[0].continue_()
    page.wait_for_selector(".viewer.moving")


def test_a_viewer_that_does_not_come_is_said_to_be_lost(page: Page) -> None:
    page.route("**/scripts/viewer.js*", lambda route: route.abort())
    page.goto(EXAMPLE)
    expect(page.get_by_text("The face could not be loaded")).to_be_visible()
    expect(page.locator(".fallback img")).to_be_visible()


def test_nothing_on_the_page_moves_when_the_face_comes(page: Page) -> None:
    page.goto(EXAMPLE)
    page.wait_for_selector(".viewer.moving")
    assert page.evaluate(MOVED) < 0.01
    submitted(page, PHOTO)
    page.wait_for_selector(".viewer.moving")
    assert page.evaluate(MOVED) < 0.01


def test_a_browser_without_3d_is_told_so(page: Page) -> None:
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(EXAMPLE)
    expect(page.get_by_text("This browser cannot show 3D")).to_be_visible()
    expect(page.get_by_text("The face could not be loaded")).to_be_hidden()
    expect(page.locator(".fallback img")).to_be_visible()
    for dead in (page.get_by_role("radio", name="Clay"), page.get_by_role("button", name="Smile")):
        expect(dead).to_be_hidden()
    expect(page.get_by_role("button", name="Left profile")).to_be_hidden()
    expect(page.locator("#keys")).to_be_hidden()


def test_a_browser_without_modules_shows_pictures(page: Page) -> None:
    page.route("**/scripts/*.js*", lambda route: route.abort())
    page.goto(EXAMPLE)
    old = page.locator("script[nomodule]").get_attribute("src")
    page.add_script_tag(url=old)  # which no browser runs that knows modules
    expect(page.locator(".fallback img")).to_be_visible()
    expect(page.locator(".loading")).to_be_hidden()


def test_expressions_that_do_not_come_are_said_to_be_missing(page: Page) -> None:
    still(page)
    expect(page.get_by_role("button", name="Smile")).to_be_disabled()


def test_photos_that_are_too_large_together_are_told_when_they_are_chosen(page: Page) -> None:
    too_much(page)
    expect(page.get_by_text("Together, the photos are too large")).to_be_visible()
