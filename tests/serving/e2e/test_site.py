"""One person's way through the site, in a real browser: from a photo to a picture of the face, and to its deletion."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.serving.e2e.conftest import PHOTO, submitted

SIDE = 128  # pixels at which pictures are compared


def test_a_photo_becomes_a_face_that_can_be_turned_moved_saved_and_deleted(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#photo", PHOTO)
    expect(page.get_by_role("list", name="Chosen photos").get_by_role("listitem")).to_have_count(1)

    page.get_by_role("button", name="Make the face").click()
    expect(page.get_by_text("Please confirm this first.")).to_be_visible()
    page.get_by_role("checkbox", name="I may use these photos").check()
    page.get_by_role("button", name="Make the face").click()

    page.wait_for_selector(".viewer.moving")
    address = page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"

    page.get_by_role("checkbox", name="Transparent background").check()
    front = saved_picture(page)
    assert likeness(head(front), server_picture(page, yaw=0)) > 0.9
    page.get_by_role("checkbox", name="Double size").check()
    assert max(saved_picture(page).size) == 2 * max(front.size)
    page.get_by_role("checkbox", name="Double size").uncheck()

    page.get_by_role("button", name="Three-quarter left").click()
    turned = saved_picture(page)
    left, right = (likeness(head(turned), server_picture(page, yaw=yaw)) for yaw in (-40, 40))
    assert left > 0.9
    assert left > right + 0.1

    page.get_by_role("button", name="Front").click()
    page.get_by_text("More expressions", exact=True).click()
    page.get_by_role("slider", name="Jaw: Open").press("End")
    opened = saved_picture(page)
    changed = abs(small(opened) - small(front))
    assert changed[SIDE // 2 :].mean() > 10 * changed[: SIDE // 3].mean(), "the jaw has moved, the brow has not"

    page.wait_for_function(SLEEPS)

    page.get_by_role("button", name="As in the photo").click()
    page.route("**/face_material.web.glb", lambda route: route.abort())
    page.get_by_role("radio", name="Clay").check()
    page.wait_for_selector(".viewer[data-lit]")
    smooth = saved_picture(page)
    page.unroute("**/face_material.web.glb")
    page.get_by_role("radio", name="Normals").check()
    with page.expect_response(
        lambda answer: "face_material.web.glb" in answer.url and answer.ok and answer.status == 200
    ):
        page.get_by_role("radio", name="Clay").check()
    page.wait_for_function(SLEEPS)
    carved = abs(small(saved_picture(page)) - small(smooth))
    assert carved.max() > 8 * carved.mean() > 0.1, "wrinkles are seen in clay, and nothing else has changed"

    page.get_by_role("radio", name="Relit").check()
    page.wait_for_selector(".viewer[data-relit]")
    studio = saved_picture(page)
    page.locator("[name=surroundings]").select_option("Sunset")
    warm = saved_picture(page)
    assert redness(warm) > 1.2 * redness(studio)
    page.get_by_role("radio", name="Photo", exact=True).check()

    page.get_by_label("Look", exact=True).select_option("Relit")
    with page.expect_download() as pictures:
        page.get_by_role("button", name="Pictures as ZIP").click()
    with zipfile.ZipFile(pictures.value.path()) as archive:
        assert "face_relit-studio_yaw+0_pitch+0.jpg" in archive.namelist()
    page.get_by_label("Look", exact=True).select_option("Normals")
    with page.expect_download() as turntable:
        page.get_by_role("button", name="Turntable (MP4)").click()
        expect(page.get_by_text("The pictures are being made…")).to_be_visible()
    assert turntable.value.suggested_filename == "turntable.mp4"
    assert turntable.value.path().read_bytes()[4:8] == b"ftyp"

    page.locator("summary", has_text="Delete everything").click()
    page.get_by_role("button", name="Yes, delete it now").click()
    expect(page.get_by_text("Everything is deleted.")).to_be_visible()
    expect(page.get_by_text("No faces yet.")).to_be_visible()
    assert page.goto(address).status == 410  # type: ignore[union-attr]
    job = address.rpartition("/")[2]
    assert page.request.get(f"/api/v1/jobs/{job}").status == 410
    assert page.request.get(f"/api/v1/jobs/{job}/faces/0/face.glb").status == 410


def test_the_page_of_a_face_says_what_is_to_be_known_of_its_photo(page: Page) -> None:
    submitted(page, {"name": "cut.jpg", "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes()[:-2]})
    page.wait_for_selector(".viewer.moving")
    expect(page.get_by_text("The photo file is cut off")).to_be_visible()

    face = Image.open(PHOTO).crop((110, 0, 366, 256))
    crowd = Image.new("RGB", (768, 256), "grey")
    for left in range(0, 768, 256):
        crowd.paste(face, (left, 0))
    content = io.BytesIO()
    crowd.save(content, "JPEG", quality=95)
    photo: FilePayload = {"name": "crowd.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}
    submitted(page, photo, faces="All of them")
    page.wait_for_selector(".viewer.moving")
    expect(page.get_by_role("navigation", name="Faces").get_by_role("link")).to_have_count(2)
    expect(page.get_by_text("crowd.jpg: only the largest faces were reconstructed")).to_be_visible()


def test_a_photo_that_nobody_can_show_has_an_icon_and_one_that_the_server_can_a_picture(page: Page) -> None:
    content = io.BytesIO()
    Image.open(PHOTO).save(content, "TIFF")
    photo, other = ("anna.tif", content.getvalue()), ("other.heic", b"no photo")
    page.goto("/")
    files = [{"name": name, "mimeType": "image/heic", "buffer": each} for name, each in (photo, other)]
    page.set_input_files("#photo", files)  # type: ignore[arg-type]
    shown, not_shown = page.get_by_role("list", name="Chosen photos").get_by_role("listitem").all()
    expect(shown.locator("img")).to_have_js_property("naturalWidth", 320)
    expect(shown.locator("img")).to_be_visible()
    expect(not_shown.locator("img")).to_be_hidden()
    expect(not_shown.locator(".no-picture")).to_be_visible()


SLEEPS = "() => new Promise((tell) => { const n = frames_drawn; setTimeout(() => tell(frames_drawn === n), 300); })"
"""Whether no frame has been drawn for a while; playwright asks again until it is so."""


def saved_picture(page: Page) -> Image.Image:
    """What "save this picture" gives."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this picture").click()
    with Image.open(download.value.path()) as picture:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA"))


def server_picture(page: Page, yaw: float) -> np.ndarray:
    """(SIDE, SIDE, 3): the head of the server's picture of the same face."""
    job = page.url.rpartition("/")[2]
    answer = page.request.get(f"/api/v1/jobs/{job}/faces/0/snapshot.jpg", params={"yaw": yaw, "size": 512})
    return head(Image.open(io.BytesIO(answer.body())))


def head(image: Image.Image) -> np.ndarray:
    """(SIDE, SIDE, 3): the part of a picture that differs from its background, on black."""
    pixels = np.asarray(image.convert("RGB")).astype(float)
    seen = abs(pixels - pixels[0, 0]).max(axis=2) > 30
    assert 0.05 < seen.mean() < 0.95, "the picture is blank"
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    box = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    alone = Image.fromarray((pixels * seen[..., None]).astype(np.uint8)).crop(box)
    return small(alone)


def small(image: Image.Image) -> np.ndarray:
    """(SIDE, SIDE, 3): a picture at the size at which pictures are compared."""
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)).astype(float)


def redness(image: Image.Image) -> float:
    """Red over blue of the face."""
    red, _, blue = head(image).mean(axis=(0, 1))
    return float(red / blue)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two pictures."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
