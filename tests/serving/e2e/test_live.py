"""The live page in a real browser, whose camera is a drawn clip; and what it says without camera, leave or WebGL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from deep3d import default_face_model
from deep3d.export.gltf.morph_targets import APPLE_NAMES
from deep3d.synthetic.clips import talking_clip
from tests.serving.e2e.conftest import DEVICES, PATIENCE_SECONDS

av = pytest.importorskip("av")

FRAMES = 45
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up person who talks, as Chromium's false camera takes it."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    drawn = talking_clip(default_face_model(), FRAMES, size=(640, 480))
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n")
        for pixels in drawn:
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            planes = [
                np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width] for plane in picture.planes
            ]
            file.write(b"".join([b"FRAME\n", *(plane.tobytes() for plane in planes)]))
    return path


@pytest.fixture
def open_live(address: str, clip: Path) -> Iterator[Callable[..., Page]]:
    """A function that opens the live page in a browser with a camera, or with other flags."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("chromium is not installed (Debian package `chromium`)")
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip}"]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browsers = []

        def open_page(device: str = "desktop", flags: list[str] | None = None, allowed: bool = True) -> Page:
            flags = [*camera, "--enable-unsafe-swiftshader"] if flags is None else flags
            browsers.append(playwright.chromium.launch(executable_path=executable, args=[*flags, *sandbox]))
            permissions = ["camera"] if allowed else []
            context: BrowserContext = browsers[-1].new_context(
                base_url=address, permissions=permissions, accept_downloads=True, **DEVICES[device]
            )
            context.set_default_timeout(PATIENCE_SECONDS * 1000)
            page = context.new_page()
            page.goto("/")
            page.get_by_role("link", name="Try it live").click()
            page.wait_for_url("**/live")  # until its script is there: nothing hears a key before
            return page

        yield open_page
        for browser in browsers:
            browser.close()


@pytest.mark.parametrize("device", DEVICES)
def test_a_face_moves_and_its_movements_are_saved(open_live, device, tmp_path) -> None:
    page = open_live(device)
    page.get_by_role("button", name="Start the camera").press("Enter")
    page.wait_for_selector("[data-state=running]")
    page.wait_for_selector("[data-part=figures]:not(:empty)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the screen"
    before = page.locator("canvas").screenshot()
    page.get_by_role("switch", name="Record").check()
    page.wait_for_selector("text=/[1-9]\\.[0-9] seconds recorded/")
    page.wait_for_timeout(2000)
    assert page.locator("canvas").screenshot() != before
    page.get_by_role("switch", name="Record").uncheck()

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save curves (CSV)").click()
    lines = saved.value.path().read_text().splitlines()
    names = lines[0].split(",")
    rows = np.array([line.split(",") for line in lines[1:]], float)
    assert names[:4] == ["time_s", "yaw", "pitch", "roll"] and names[4:55] == list(APPLE_NAMES)
    assert len(rows) > 2 and (np.diff(rows[:, 0]) > 0).all() and np.ptp(rows[:, 1]) > 1
    weights = rows[:, 4:56]
    assert weights.min() >= 0 and weights.max() <= 1 and np.ptp(weights, axis=0).max() > 0.05

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save animated 3D (GLB)").click()
    saved.value.save_as(tmp_path / "face.glb")
    assert_valid(tmp_path / "face.glb", len(rows))

    page.get_by_role("button", name="Stop the camera").click()
    expect(page.get_by_text("The camera is off.")).to_be_visible()
    assert page.evaluate("() => document.querySelector('video').srcObject === null")


def assert_valid(glb: Path, frames: int) -> None:
    """That the file is one, animated so many times, and without complaint where there is Khronos' validator."""
    content = glb.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    document = json.loads(content[20 : 20 + length])
    (animation,) = document["animations"]
    assert [each["target"]["path"] for each in animation["channels"]] == ["weights", "rotation"]
    assert document["accessors"][animation["samplers"][0]["input"]]["count"] == frames
    assert document["meshes"][0]["extras"]["targetNames"] == list(APPLE_NAMES)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    node, validator = shutil.which("node", path=path), ROOT / "serving/viewer/node_modules/gltf-validator"
    if node is None or not validator.is_dir():
        return
    script = (
        f"require({str(validator)!r}).validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[1])))"
        ".then(r => console.log(JSON.stringify(r.issues.messages)))"
    )
    done = subprocess.run([node, "-e", script, str(glb)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flags", "allowed", "said"),
    [
        ([], True, "No camera was found"),
        (["--use-fake-device-for-media-stream"], False, "The camera was not allowed"),
        (["--use-fake-device-for-media-stream", "--disable-3d-apis"], True, "This browser cannot show 3D"),
    ],
)
def test_what_is_missing_is_said_in_plain_words(open_live, flags, allowed, said) -> None:
    page = open_live(flags=flags, allowed=allowed)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_role("status")).to_contain_text(said)
    expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()


def test_a_site_whose_places_are_taken_says_so(open_live, address) -> None:
    port = int(address.rpartition(":")[2]) + 1
    with ExitStack() as places:
        for _ in range(4):
            place = connect(f"ws://127.0.0.1:{port}/live/socket", subprotocols=[Subprotocol("deep3d.live.1")])
            places.enter_context(place).recv(timeout=PATIENCE_SECONDS)
        page = open_live()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_role("status")).to_contain_text("All places are taken")
