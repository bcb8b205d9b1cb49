"""What people come for takes few clicks from the page of a face, each on something named as they would look for it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, expect

from tests.serving.e2e.conftest import PHOTO, submitted

MOST_CLICKS = 4
CHANGED = 8  # of 255, of the pixel that changed most between two views that differ


class Visitor:
    """Somebody who sees nothing but the page, and whose clicks are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, words: str) -> None:
        """Click on the first control that is seen whose name has these words."""
        name = re.compile(words, re.IGNORECASE)
        controls = (self.page.get_by_role(role, name=name) for role in ("button", "link", "checkbox"))  # type: ignore[arg-type]
        found: Locator = self.page.locator("summary").filter(has_text=name)
        for each in controls:
            found = found.or_(each)
        found.filter(visible=True).first.click()
        self.clicks += 1

    def stage(self) -> Image.Image:
        """What the stage shows, once it stands still."""
        self.page.wait_for_timeout(500)
        return Image.open(io.BytesIO(self.page.locator("[data-part=stage]").screenshot())).convert("RGB")


def test_turning_smiling_five_pictures_and_deletion_are_few_clicks_away(page: Page) -> None:
    page.add_init_script("navigator.share = async (given) => { window.shared = given.url; };")
    submitted(page, PHOTO)
    page.wait_for_selector(".viewer.moving")
    walks = {}

    visitor = Visitor(page)
    before = visitor.stage()
    visitor.click("left")
    walks["turn the head"] = visitor.clicks
    assert differs(visitor.stage(), before)

    visitor = Visitor(page)
    before = visitor.stage()
    visitor.click("smile")
    walks["make it smile"] = visitor.clicks
    assert differs(visitor.stage(), before)

    visitor = Visitor(page)
    with page.expect_download() as download:
        visitor.click("pictures")
    walks["five pictures at angles"] = visitor.clicks
    with zipfile.ZipFile(download.value.path()) as pictures:
        assert len(pictures.namelist()) == 5

    visitor = Visitor(page)
    visitor.click("share")
    walks["give the link to a friend"] = visitor.clicks
    assert page.evaluate("window.shared") == page.url

    visitor = Visitor(page)
    visitor.click("download")
    with page.expect_download() as download:
        visitor.click("download all")
    walks["all files"] = visitor.clicks
    with zipfile.ZipFile(download.value.path()) as files:
        assert {"face.glb", "face.obj", "face.json"} <= set(files.namelist())

    visitor = Visitor(page)
    visitor.click("delete")
    visitor.click("delete it now")
    walks["delete everything"] = visitor.clicks
    expect(page.get_by_text("Everything is deleted.")).to_be_visible()

    assert max(walks.values()) <= MOST_CLICKS, walks


def differs(after: Image.Image, before: Image.Image) -> bool:
    """Whether two pictures of the stage are not the same."""
    extremes = ImageChops.difference(after, before).getextrema()
    return max(high for _, high in extremes) > CHANGED  # type: ignore[misc]


def test_iphones_get_the_head_and_its_hair_for_a_room(page: Page) -> None:
    page.add_init_script(
        "DOMTokenList.prototype.supports = (name) => name === 'ar';"
        "window.taken = new Promise((take) => (HTMLAnchorElement.prototype.click = function () { take(this.href); }));"
    )
    page.goto("/examples/mira")
    page.wait_for_selector(".viewer.ready")
    page.get_by_role("button", name="View in your room").click()
    numbers = page.evaluate("async () => [...new Uint8Array(await (await fetch(await window.taken)).arrayBuffer())]")
    with zipfile.ZipFile(io.BytesIO(bytes(numbers))) as file:
        parts = {part.filename: part for part in file.infolist()}
        scene = file.read("model.usda").decode()
    assert next(iter(parts)) == "model.usda"  # a viewer begins with the first
    assert {part.compress_type for part in parts.values()} == {zipfile.ZIP_STORED}
    assert sum(name.startswith("geometries/") for name in parts) == 2
    assert {Path(name).suffix for name in parts if name.startswith("textures/")} == {".jpg", ".png"}
    assert "metersPerUnit = 1" in scene and scene.count("inputs:opacityThreshold") == 1
