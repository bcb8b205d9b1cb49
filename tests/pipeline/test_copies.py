"""Photos that show a picture again are found, whatever was done to them; other pictures are not."""

# pyright: reportOptionalMemberAccess=false

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from deep3d.photo import read_photo
from deep3d.pipeline.copies import Copy, find_copies
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.pipeline.same_person import COPY
from deep3d.synthetic.heads import HeadGenerator

SAMPLE = Path("docs/sample/astronaut.jpg")


@pytest.fixture(scope="module")
def heads(model) -> np.ndarray:
    """Photos of one person."""
    return HeadGenerator(model, 11).draw_person(6).crops


def test_other_photos_of_a_person_are_no_copies(heads):
    assert find_copies(heads, np.ones(len(heads))) == {}


def test_the_largest_of_those_alike_is_the_picture_or_the_first(heads):
    brighter = np.clip(heads[0] * 1.2 + 5, 0, 255).astype(np.uint8)
    crops = np.stack([heads[1], brighter, heads[0], heads[0][:, ::-1]])
    assert find_copies(crops, np.array([90, 90, 190, 120])) == {1: Copy(2, False), 3: Copy(2, True)}
    assert find_copies(crops, np.array([90, 100, 105, 110])) == {2: Copy(1, False), 3: Copy(1, True)}


def test_blank_crops_are_like_nothing():
    assert find_copies(np.full((2, 224, 224, 3), 9, np.uint8), np.ones(2)) == {}


def changed(name: str) -> bytes:
    picture = Image.open(SAMPLE).convert("RGB")
    match name:
        case "smaller":
            picture = picture.resize((picture.width // 2, picture.height // 2))
        case "mirrored":
            picture = ImageOps.mirror(picture)
        case "grey":
            picture = ImageEnhance.Brightness(picture.convert("L").convert("RGB")).enhance(1.2)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=60)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["again", "smaller", "mirrored", "grey"])
def test_a_copy_of_a_photo_changes_nothing_and_is_named(name):
    # given
    finder = Reconstructor.load(refinement="landmarks", threads=1)
    photo, copy = (
        replace(read_photo(content), name=called)
        for content, called in ((SAMPLE.read_bytes(), "anna.jpg"), (changed(name), "copy.jpg"))
    )
    # when
    alone, both = finder.same_person([photo]), finder.same_person([photo, copy])
    # then it is left out with its reason, and the face is as sure as that of one photo
    assert both.copies == (1,) and both.strangers == () and both.weight.tolist() == [1, 0]
    wanted = "the mirror image of" if name == "mirrored" else "almost the same picture as"
    assert both.left_out == (f"copy.jpg is left out: it shows {wanted} anna.jpg.",)
    assert both.merged.warnings[0] == both.left_out[0] and COPY in both.faces[1].warnings
    ratio = both.surest.covariance.trace() / alone.surest.covariance.trace()
    assert ratio == pytest.approx(1, abs=0.1)
