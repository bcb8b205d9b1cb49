"""Photos that contradict each other, are doubted or show nobody: each is named in the files of the merged face."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deep3d.export import write_results
from deep3d.photo import Photo, read_photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.pipeline.same_person import STRANGER
from deep3d.synthetic.heads import HeadGenerator


def photo(pixels: np.ndarray, name: str, blur: float = 0.0) -> Photo:
    buffer = io.BytesIO()
    Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur)).save(buffer, "PNG")
    return replace(read_photo(buffer.getvalue()), name=name)


@pytest.fixture(scope="module")
def finder() -> Reconstructor:
    return Reconstructor.load(refinement="landmarks", threads=1)


@pytest.fixture(scope="module")
def heads(model) -> dict[str, np.ndarray]:
    """Photos of two people."""
    return {name: HeadGenerator(model, seed).draw_person(3).crops for name, seed in (("anna", 30), ("bert", 31))}


def test_a_photo_of_another_person_or_of_none_is_named_in_the_files(finder, heads, tmp_path):
    photos = [photo(crop, f"anna{number}.jpg") for number, crop in enumerate(heads["anna"])]
    photos += [photo(heads["bert"][0], "bert.jpg"), photo(np.full((64, 64, 3), 90, np.uint8), "wall.jpg")]
    person = finder.same_person(photos)
    write_results(person.merged, tmp_path)
    warnings = json.loads((tmp_path / "face.json").read_text(encoding="utf-8"))["warnings"]
    assert warnings[:2] == [
        "bert.jpg is left out: it seems to show another person.",
        "wall.jpg is left out: no face was found.",
    ]
    bert = person.faces[3]
    assert bert is not None and bert.warnings[0] == STRANGER and person.weight[3:].tolist() == [0, 0]


def test_photos_that_are_all_doubted_are_all_used_and_say_so(finder, heads):
    doubted = [photo(crop, f"anna{number}.jpg", blur=5) for number, crop in enumerate(heads["anna"])]
    person = finder.same_person(doubted)
    used = [face for face, weight in zip(person.faces, person.weight, strict=True) if weight > 0]
    named = len(person.left_out)
    assert used and len(used) + named >= len(doubted)
    assert all(face.confidence is not None and face.warnings for face in used)
