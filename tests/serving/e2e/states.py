"""Every page of the site in every state that a visitor may see, and how to get there."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import FilePayload, Page

from tests.serving.e2e.conftest import MAX_UPLOAD_MB, PHOTO

ADMIN_PASSWORD = "open sesame"
State = Callable[[Page], None]
"""Leads a page of a browser, whatever its language, into a state."""


def visited(path: str) -> State:
    """The page of an address as it comes."""
    return lambda page: _go(page, path)


def chosen(*photos: FilePayload | Path) -> State:
    """The form once somebody has chosen files, and tried to send them without consent."""

    def lead(page: Page) -> None:
        _go(page, "/")
        page.set_input_files("#photo", photos)  # type: ignore[arg-type]
        page.wait_for_selector("[data-previews] li")
        page.locator("form.submit [type=submit]").click()

    return lead


def too_much(page: Page) -> None:
    """Photos that are small enough each, and too large together."""
    half: FilePayload = {"name": "half.jpg", "mimeType": "image/jpeg", "buffer": bytes(600_000 * MAX_UPLOAD_MB)}
    chosen(half, half)(page)


def with_options(page: Page) -> None:
    """The form with all its options."""
    chosen(PHOTO)(page)
    page.locator("details.options summary").click()


def face(*photos: FilePayload, faces: str = "largest") -> State:
    """What comes of photos, once it is there."""

    def lead(page: Page) -> None:
        _send(page, photos, faces)
        page.wait_for_selector(".viewer.moving, .reasons")

    return lead


def opened(page: Page) -> None:
    """The page of a face with everything opened that can be."""
    _go(page, "/faces")
    page.locator(".mine a", has=page.locator("img")).first.click()
    page.wait_for_selector(".viewer.moving")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def with_look(look: str) -> State:
    """An example in another look."""

    def lead(page: Page) -> None:
        _go(page, "/examples/jonas")
        page.wait_for_selector(".viewer.moving")
        page.locator(f"input[name=look][value={look}]").evaluate("each => each.click()")
        page.wait_for_timeout(1500)

    return lead


def lost(page: Page) -> None:
    """The page of an example whose face never comes."""
    page.route("**/face.web.glb*", lambda route: route.abort())
    _go(page, "/examples/mira")
    page.wait_for_selector(".viewer.failed")
    page.unroute("**/face.web.glb*")


def without_3d(page: Page) -> None:
    """The page of a face in a browser that has no WebGL."""
    session = page.context.new_cdp_session(page)
    session.send("Page.enable")
    no_canvas = {"source": "HTMLCanvasElement.prototype.getContext = () => null"}
    added = session.send("Page.addScriptToEvaluateOnNewDocument", no_canvas)
    _go(page, "/faces")
    page.locator(".mine a", has=page.locator("img")).first.click()
    page.wait_for_selector(".viewer.failed")
    session.send("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})
    session.detach()


def without_modules(page: Page) -> None:
    """The page of an example in a browser that knows no modules."""
    page.route("**/scripts/*.js*", lambda route: route.abort())
    _go(page, "/examples/mira")
    page.add_script_tag(url=page.locator("script[nomodule]").get_attribute("src"))  # which no other browser runs
    page.wait_for_selector(".viewer.failed")
    page.unroute("**/scripts/*.js*")


def still(page: Page) -> None:
    """The page of an example whose expressions never come."""
    _go(page, "/examples/tomas")
    address = page.locator("[data-expressions]").get_attribute("data-expressions")
    page.route(f"**{address}", lambda route: route.abort())
    _go(page, "/examples/mira")
    page.locator("[data-part=still]").wait_for()
    page.unroute(f"**{address}")


def slow(page: Page) -> None:
    """The page of an example while its face is on its way: the photo stands in."""
    page.route("**/face.web.glb*", lambda route: None)
    page.goto("/examples/mira", wait_until="domcontentloaded")
    _wait_until(page, "document.querySelector('.stage-preview').complete")
    page.unroute("**/face.web.glb*")


def unreachable(page: Page) -> None:
    """The form when the site cannot be reached."""
    _go(page, "/")
    page.set_input_files("#photo", PHOTO)
    page.locator("[name=consent]").check()
    page.context.set_offline(True)
    page.locator("form.submit [type=submit]").click()
    page.locator("[data-wrong=form]:not([hidden])").wait_for()
    page.context.set_offline(False)


def compared(page: Page) -> None:
    """An example beside its photo."""
    with_look("texture")(page)
    page.locator("input[name=compare]").evaluate("each => each.click()")
    page.wait_for_timeout(1500)


def signed_in(page: Page) -> None:
    """The operators' page."""
    _go(page, "/admin")
    if page.locator("#password").count():
        page.fill("#password", ADMIN_PASSWORD)
        page.locator("main [type=submit]").click()
        page.wait_for_url("**/admin")


def wrong_password(page: Page) -> None:
    """The operators' door after a wrong password."""
    _go(page, "/admin/sign-in")
    page.fill("#password", "let me in")
    page.locator("main [type=submit]").click()
    page.wait_for_selector("[aria-invalid]")


def waiting(page: Page) -> None:
    """A job that others are ahead of, on a site whose worker never comes."""
    _try_example(page)
    page.wait_for_selector("[aria-current=step]")  # the script of the page has heard of the job


def under_way(page: Page) -> None:
    """A job in the middle of its work."""
    state = '{"status": "running", "progress": 0.6, "stage": "files", "position": 0, "wait_seconds": 2}'
    page.route(re.compile("/events$"), lambda route: route.fulfill(body=f"data: {state}\n\n", content_type=_EVENTS))
    _try_example(page)
    page.wait_for_selector("[aria-current=step]")
    page.unroute(re.compile("/events$"))


def offline(page: Page) -> None:
    """A job that is waited for when the connection is lost."""
    waiting(page)
    page.context.set_offline(True)
    _wait_until(page, _LOST)


def refused(page: Page) -> None:
    """What a site without room says to one job more."""
    for _ in range(9):
        _try_example(page)


def too_often(page: Page) -> None:
    """What the form says to a photo more than a network may send in a minute."""
    _try_example(page)
    _send(page, (_ANNA,), "largest")
    page.locator("[data-wrong=form]:not([hidden])").wait_for()


def too_often_without_script(page: Page) -> None:
    """The same where the page does not listen to the answer."""
    for _ in range(2):
        _try_example(page)


def jpeg(name: str, size: tuple[int, int] = (320, 320), box: tuple[int, int, int, int] | None = None) -> FilePayload:
    """A photo without a face; with the box of the sample's face in it, one that has it so often as it fits."""
    picture = Image.new("RGB", size, "#88a0a8")
    if box:
        part = Image.open(PHOTO).crop(box)
        for left in range(0, size[0], part.width):
            picture.paste(part, (left, 0))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=92)
    return {"name": name, "mimeType": "image/jpeg", "buffer": content.getvalue()}


_EVENTS = "text/event-stream"
_LOST = "document.querySelector('[data-line]').textContent === document.querySelector('[data-line]').dataset.lost"
_FACE = (110, 0, 366, 256)
_ANNA: FilePayload = {"name": "anna.jpg", "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes()}
_CUT: FilePayload = {"name": "cut.jpg", "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes()[:-2]}

STATES: dict[str, State] = {
    "first": visited("/"),
    "chosen": chosen(PHOTO),
    "options": with_options,
    "too-many": chosen(*[jpeg(f"holiday {number}.jpg") for number in range(11)]),
    "too-large": chosen({"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(26_000_000)}),
    "too-much": too_much,
    "no-photo": chosen({"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}),
    "example": with_look("texture"),
    "clay": with_look("clay"),
    "wireframe": with_look("wireframe"),
    "compared": compared,
    "lost": lost,
    "without-modules": without_modules,
    "still": still,
    "slow": slow,
    "unreachable": unreachable,
    "no-faces-yet": visited("/faces"),
    "face": face(_ANNA),
    "several": face(jpeg("group.jpg", (768, 256), _FACE), faces="all"),
    "partly": face(jpeg("cut.jpg", (256, 256), _FACE), jpeg("wall.jpg"), faces="all"),
    "warned": face(_CUT),
    "failed": face(jpeg("wall.jpg")),
    "opened": opened,
    "without-3d": without_3d,
    "my-faces": visited("/faces"),
    "live": visited("/live"),
    "interface": visited("/api"),
    "not-found": visited("/jobs/nothing"),
    "sign-in": visited("/admin/sign-in"),
    "wrong-password": wrong_password,
    "admin": signed_in,
}
"""Those of a site at work, in an order in which one browser can see them."""

HELD_UP: dict[str, State] = {"waiting": waiting, "under-way": under_way, "offline": offline, "refused": refused}
"""Those of a site whose worker never comes, and which has room for a few jobs only."""

HURRIED: dict[str, State] = {"too-often": too_often, "too-often-page": too_often_without_script}
"""Those of a site that takes one photo a minute from each network."""

WITHOUT_SCRIPT: dict[str, State] = {
    "first-without-script": visited("/"),
    "example-without-script": visited("/examples/mira"),
    "interface-without-script": visited("/api"),
    "live-without-script": visited("/live"),
}
"""Those of a browser that runs no scripts."""


def _go(page: Page, path: str) -> None:
    page.context.set_offline(False)
    page.goto(path, wait_until="load")
    page.wait_for_timeout(200)


def _send(page: Page, photos: tuple[FilePayload, ...], faces: str) -> None:
    _go(page, "/")
    page.set_input_files("#photo", photos)
    page.evaluate(f"document.querySelector('[name=faces][value={faces}]').checked = true")
    page.locator("[name=consent]").check()
    page.locator("form.submit [type=submit]").click()


def _wait_until(page: Page, expression: str) -> None:
    """Wait until something is so; playwright's own way asks again by code of the page, which its policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {expression}")


def _try_example(page: Page) -> None:
    _go(page, "/")
    page.locator(".gallery form [type=submit]").first.click()
    page.wait_for_load_state("load")
