"""The whole way from a photo to a face, with the shipped model and weights, on the sample photo."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.alignment import STANDARD_POINTS
from deep3d.camera import project
from deep3d.coefficients import FaceCoefficients
from deep3d.detection.detector import Detection
from deep3d.errors import CheckpointMismatch, CheckpointMissing, FaceModelMissing, NoFaceFound
from deep3d.export.face_json import describe
from deep3d.fitting import LandmarkBasis, fit_person_colours, free_shape
from deep3d.fitting.iteration import initial_state, project_landmarks
from deep3d.fitting.photometric import NO_NUMBERS
from deep3d.landmarks import five_points
from deep3d.mesh import triangle_normals
from deep3d.photo import Photo, read_photo
from deep3d.pipeline import fitter
from deep3d.pipeline.reconstructor import FIT_FAILED, FOLDED, STAYS_LINEAR, Reconstructor
from deep3d.regression import DenseLandmarks, Regression

SAMPLE = Path(__file__).parents[2] / "docs" / "sample" / "astronaut.jpg"


@pytest.fixture(scope="module")
def reconstructor() -> Reconstructor:
    return Reconstructor.load()


@pytest.fixture(scope="module")
def face(reconstructor):
    return reconstructor(SAMPLE)


def test_the_mesh_lies_on_the_face_of_the_photo(face):
    """The detector and the network are independent witnesses of where eyes, nose and mouth are."""
    own, detected = five_points(face.landmarks68), face.detection.landmarks
    size = np.ptp(detected, axis=0).max()
    assert np.linalg.norm(own - detected, axis=1).mean() < 0.12 * size


def test_the_astronaut_smiles_and_looks_at_the_camera(face):
    smile = [face.face_model.expression_names.index(f"mouthSmile_{side}") for side in "LR"]
    assert face.coefficients.expression[0, smile].mean() > 0.2
    assert abs(face.pose.yaw) < 25 and abs(face.pose.pitch) < 25 and abs(face.pose.roll) < 15


def test_photos_come_one_by_one_as_they_come_together(reconstructor):
    photos = [read_photo(SAMPLE), Photo(np.full((200, 200, 3), 128, np.uint8), "grey.png", ""), read_photo(SAMPLE)]
    each = list(reconstructor.one_by_one(photos))
    assert [len(faces) for faces in each] == [1, 0, 1]
    for alone, together in zip(each, reconstructor.reconstruct(photos), strict=True):
        for one, other in zip(alone, together, strict=True):
            assert_allclose(one.coefficients.to_vector(), other.coefficients.to_vector(), atol=1e-5)
    assert set(each[0][0].timings_ms) == {"detection", "alignment", "network", "refiner", "fit"}


def test_landmarks_are_the_projection_of_the_placed_mesh(face):
    placed = face.face_model.landmarks(face.placed_vertices[None])
    assert_allclose(face.crop.to_photo(project(placed, face.camera)[0]), face.landmarks68_mediapipe, atol=0.02)


def test_the_texture_takes_its_colours_from_the_photo(face):
    shown = [28, 29, 30, 33, 51]  # the jaw lies under hair and in the shade
    points = face.landmarks68[shown].round().astype(int)
    seen = face.photo.pixels[points[:, 1], points[:, 0]].mean(axis=0)
    model = face.face_model
    corners = model.uv[model.uv_triangles[model.markup.triangles[shown]]].mean(axis=1)
    side = len(face.texture)
    columns, rows = (corners[:, 0] * side).astype(int), ((1 - corners[:, 1]) * side).astype(int)
    assert np.abs(face.texture[rows, columns].mean(axis=0) - seen).max() < 25


def test_what_folds_stays_linear_and_face_json_says_why(reconstructor, face, monkeypatch):
    monkeypatch.setattr(free_shape, "TURNED", 1.5)  # every triangle counts as folded
    ((one,),) = reconstructor.refining("surface").reconstruct([face.photo])
    assert one.displacement is None
    assert_allclose(one.vertices, one.face_model.shape(one.coefficients)[0])
    number = len(one.face_model.triangles)
    assert describe(one)["warnings"] == [STAYS_LINEAR.format(number), *face.warnings]


def test_what_folds_in_part_is_smoothed_and_face_json_says_so(reconstructor, face, monkeypatch):
    ((free,),) = reconstructor.refining("surface").reconstruct([face.photo])
    turned = triangle_normals(
        np.stack([free.neutral_vertices - free.displacement, free.neutral_vertices]), free.face_model.triangles
    )
    monkeypatch.setattr(free_shape, "TURNED", float(np.quantile((turned[0] * turned[1]).sum(axis=1), 0.01)))
    ((one,),) = reconstructor.refining("surface").reconstruct([face.photo])
    assert describe(one)["warnings"][0].endswith(FOLDED.split("{}")[1])
    assert np.abs(one.displacement).max() > 0 and np.abs(one.vertices - free.vertices).max() > 1e-4


@pytest.mark.parametrize("refinement", ["photometric", "surface"])
def test_a_fit_that_fails_keeps_the_result_before_it_and_face_json_says_why(
    reconstructor, face, monkeypatch, refinement
):
    def lost(views, *arguments, **options):
        nowhere = [replace(view.landmarks, points=np.full_like(view.landmarks.points, np.nan)) for view in views]
        return fit_person_colours(
            [replace(view, landmarks=points) for view, points in zip(views, nowhere)], *arguments, **options
        )

    monkeypatch.setattr(fitter, "fit_person_colours", lost)
    ((one,),) = reconstructor.refining(refinement).reconstruct([face.photo])
    ((before,),) = reconstructor.refining("landmarks").reconstruct([face.photo])
    assert describe(one)["warnings"] == [FIT_FAILED.format(NO_NUMBERS), *before.warnings]
    assert one.displacement is None
    assert_allclose(one.vertices, before.vertices, atol=1e-6)


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_another_quality_of_the_same_networks_is_that_of_networks_loaded_for_it(reconstructor, face, quality):
    ((one,),) = reconstructor.with_quality(quality).reconstruct([face.photo])
    ((other,),) = Reconstructor.load(quality=quality).reconstruct([face.photo])
    assert_allclose(one.vertices, other.vertices, atol=1e-6)
    assert np.abs(one.vertices - face.vertices).max() > 1e-3


def test_fast_faces_have_no_hair_and_others_have():
    haired = Reconstructor.load(hair="shell")
    normal, fast = (haired.with_quality(quality)(SAMPLE).hair for quality in ("normal", "fast"))
    assert normal is not None and fast is None


def test_photos_of_one_call_do_not_touch_each_other(reconstructor, face):
    photo = read_photo(SAMPLE)
    blank = Photo(np.full((200, 300, 3), 127, np.uint8), "blank", "0" * 64)

    results = reconstructor.reconstruct([blank, photo, blank, photo])

    assert [len(faces) for faces in results] == [0, 1, 0, 1]
    for faces in results[1::2]:
        assert_allclose(faces[0].landmarks68, face.landmarks68, atol=0.5)  # batches round otherwise


def test_two_people_in_one_photo_come_largest_first(reconstructor):
    photo = read_photo(SAMPLE)
    small = photo.pixels[::2, ::2]
    both = np.full((512, 800, 3), 90, np.uint8)
    both[:, :512] = photo.pixels
    both[100:356, 530:786] = small
    pair = Photo(both, "pair", "0" * 64)

    largest, everyone = reconstructor.reconstruct([pair])[0], reconstructor.reconstruct([pair], faces="all")[0]

    assert len(largest) == 1 and len(everyone) == 2
    assert largest[0].landmarks68[30, 0] < 512 < everyone[1].landmarks68[30, 0]


def test_a_false_find_does_not_hide_the_next_face(toy_face_model, toy_checkpoint):
    """The largest detection has five points in one place: no face can have them."""
    points = np.array([200, 150]) + STANDARD_POINTS[:, :2] * [110, -110]
    found = [
        Detection(np.array([0.0, 0, 400, 300]), 0.9, np.full((5, 2), 50.0)),
        Detection(np.array([100.0, 50, 300, 250]), 0.9, points),
        Detection(np.array([120.0, 70, 280, 230]), 0.9, points + 1),
    ]

    def regress(crops):
        return Regression(FaceCoefficients.from_vector(np.zeros((len(crops), 257), np.float32)), None)

    reconstructor: Any = Reconstructor(toy_face_model, Finds(*found), regress, toy_checkpoint)  # pyright: ignore
    photo = Photo(np.full((300, 400, 3), 99, np.uint8), "pair", "0" * 64)

    largest, everyone = reconstructor.reconstruct([photo])[0], reconstructor.reconstruct([photo], faces="all")[0]

    assert [face.detection.box[0] for face in largest] == [100]
    assert [face.detection.box[0] for face in everyone] == [100, 120]
    assert everyone[0].timings_ms == everyone[1].timings_ms
    assert everyone[0].timings_ms is not everyone[1].timings_ms


def test_only_what_its_crop_does_not_fit_is_cropped_again(reconstructor, face):
    right = five_points(face.landmarks68)
    wrong = right.mean(axis=0) + 1.3 * (right - right.mean(axis=0))

    class Detector:
        def detect(self, photos, faces, effort="search"):
            return [[Detection(face.detection.box, 0.9, points)] for points in (right, wrong)]

    looked = []

    def regress(crops):
        looked.append(len(crops))
        return reconstructor.networks.regressor(crops)

    twice: Any = Reconstructor(face.face_model, Detector(), regress, reconstructor.checkpoint)  # pyright: ignore
    (kept,), (moved,) = twice.reconstruct([face.photo, face.photo])

    assert looked == [2, 1]
    assert_allclose(kept.crop.five_points, right)
    assert kept.crop.shift(moved.crop.five_points) < 12 < kept.crop.shift(wrong)
    assert np.linalg.norm(kept.landmarks68 - moved.landmarks68, axis=1).mean() < 2


class Finds:
    """A detector that always finds the same."""

    def __init__(self, *found: Detection) -> None:
        self.found = [*found]

    def detect(self, photos, faces, effort="search"):
        return [self.found for _ in photos]


def seen_by(detector: Any, reconstructor: Reconstructor, photo: Photo):
    networks = reconstructor.networks
    other = Reconstructor(
        reconstructor.face_model, detector, networks.regressor, reconstructor.checkpoint, refiner=networks.refiner
    )
    return other.reconstruct([photo])[0]


def test_a_face_that_the_detector_does_not_see_is_found(reconstructor, face):
    height, width = face.photo.pixels.shape[:2]
    x, y = face.detection.landmarks.mean(axis=0).astype(int)
    close = np.ascontiguousarray(face.photo.pixels[max(y - 110, 0) : y + 110, max(x - 110, 0) : x + 110])
    (found,) = seen_by(Finds(), reconstructor, Photo(close, "close", "0" * 64))
    corner = [max(x - 110, 0), max(y - 110, 0)]
    assert np.linalg.norm(found.landmarks68 + corner - face.landmarks68, axis=1).mean() < 3
    assert found.detection.score == 0
    assert seen_by(Finds(), reconstructor, Photo(np.full((height, width, 3), 128, np.uint8), "wall", "0" * 64)) == []


def test_what_is_no_face_is_left_for_one_beside_it(reconstructor, face):
    x, y = face.landmarks68[3]  # a cheek
    box = np.array([x - 20, y - 20, x + 20, y + 20])
    cheek = Detection(box, 0.7, np.array([x, y]) + STANDARD_POINTS[:, :2] * [20, -20])
    (found,) = seen_by(Finds(cheek), reconstructor, face.photo)
    assert np.linalg.norm(found.landmarks68 - face.landmarks68, axis=1).mean() < 3
    left, top, right, bottom = found.detection.box
    assert left < face.landmarks68[36, 0] < right and top < face.landmarks68[30, 1] < bottom


def test_a_frame_that_the_refiner_doubts_holds_no_face(reconstructor, face):
    x, y = face.detection.landmarks.mean(axis=0).astype(int)
    close = np.ascontiguousarray(face.photo.pixels[max(y - 110, 0) : y + 110, max(x - 110, 0) : x + 110])
    networks = reconstructor.networks
    detector: Any = Finds()
    found = []
    for deviation in (1.0, 50.0):

        def refine(crops, coefficients, cameras, deviation=deviation):
            dense = networks.refiner(crops, coefficients, cameras)
            return DenseLandmarks(dense.points, np.full_like(dense.deviation, deviation))

        refiner: Any = refine
        other = Reconstructor(face.face_model, detector, networks.regressor, reconstructor.checkpoint, refiner=refiner)
        found.append(len(other.reconstruct([Photo(close, "close", "0" * 64)])[0]))
    assert found == [1, 0]


def test_what_the_refiner_takes_for_no_face_is_none_even_if_it_was_detected(reconstructor, face):
    networks = reconstructor.networks
    detector: Any = Finds(face.detection)
    found = []
    for deviation in (1.0, 50.0):

        def refine(crops, coefficients, cameras, deviation=deviation):
            dense = networks.refiner(crops, coefficients, cameras)
            return DenseLandmarks(dense.points, np.full_like(dense.deviation, deviation))

        refiner: Any = refine
        other = Reconstructor(face.face_model, detector, networks.regressor, reconstructor.checkpoint, refiner=refiner)
        found.append(len(other.reconstruct([face.photo])[0]))
    assert found == [1, 0]


@pytest.mark.parametrize("refinement", ["none", "landmarks"])
def test_a_texture_that_the_detector_takes_for_a_face_is_none(reconstructor, refinement):
    noise = np.random.default_rng(3).integers(0, 256, (300, 300, 3), np.uint8)
    five = 150 + STANDARD_POINTS[:, :2] * [80, -80]
    detector: Any = Finds(Detection(np.array([60.0, 60, 240, 240]), 0.9, five))
    networks = reconstructor.networks
    other = Reconstructor(
        *(reconstructor.face_model, detector, networks.regressor, reconstructor.checkpoint),
        refinement=refinement,
        refiner=networks.refiner,
    )
    assert other.reconstruct([Photo(noise, "noise.png", "0" * 64)]) == [[]]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_photo_on_its_side_is_turned_and_gives_the_same_face(reconstructor, face, degrees):
    lying = replace(face.photo.turned(degrees), turn=0)
    (found,), (other,) = reconstructor.reconstruct([lying, face.photo])
    assert (found.photo.turn, other.photo.turn) == (360 - degrees, 0)
    assert np.array_equal(found.photo.pixels, face.photo.pixels) and found.photo.pixels.flags.c_contiguous
    size = np.ptp(face.landmarks68, axis=0).max()
    assert np.linalg.norm(found.landmarks68 - face.landmarks68, axis=1).mean() < 0.01 * size
    assert np.abs(found.detection.box - face.detection.box).max() < 0.3 * size
    assert abs(found.pose.roll - face.pose.roll) < 1


def test_all_faces_of_a_photo_on_its_side_are_found(reconstructor, face):
    x, y = face.detection.landmarks.mean(axis=0).astype(int)
    close = face.photo.pixels[y - 90 : y + 110, x - 100 : x + 100]
    group = np.ascontiguousarray(np.hstack([close[::2, ::2], close[::2, ::2]]))
    lying = Photo(np.ascontiguousarray(np.rot90(group)), "group.png", "0" * 64)
    (faces,) = reconstructor.reconstruct([lying], "all")
    assert [each.photo.turn for each in faces] == [90, 90]
    assert faces[0].photo is faces[1].photo and faces[0].photo.pixels.shape == group.shape
    assert {bool(each.landmarks68[30, 0] > 100) for each in faces} == {False, True}


def test_a_sure_face_is_looked_for_once(reconstructor, face):
    looks = []

    class Once(Finds):
        def detect(self, photos, faces, effort="search"):
            looks.append(effort)
            return super().detect(photos, faces, effort)

    seen_by(Once(face.detection), reconstructor, face.photo)
    assert looks == ["search"]


def test_a_face_beside_a_false_find_is_found_by_the_detector_too(reconstructor, face):
    wide = np.full((512, 1600, 3), 128, np.uint8)
    small = np.asarray(Image.fromarray(face.photo.pixels).resize((256, 256)))
    wide[:256, -256:] = small
    false = Detection(np.array([100.0, 100, 400, 400]), 0.9, 250 + STANDARD_POINTS[:, :2] * [120, -120])
    place = (face.detection.landmarks + 0.5) / 2 - 0.5 + [1344, 0]
    true = Detection(np.concatenate([place.min(axis=0), place.max(axis=0)]), 0.99, place)
    (found,) = seen_by(Finds(false, true), reconstructor, Photo(wide, "wide.png", "0" * 64))
    assert np.linalg.norm(found.landmarks68 - ((face.landmarks68 + 0.5) / 2 - 0.5 + [1344, 0]), axis=1).mean() < 3


@pytest.mark.parametrize(("pixels", "looks"), [(0.5, 1), (4.0, 2)])
def test_the_refiner_looks_again_if_it_moves_the_landmarks_much(reconstructor, face, pixels, looks):
    networks, seen = reconstructor.networks, []
    basis = LandmarkBasis.of_vertices(face.face_model, reconstructor.checkpoint.dense_vertices)

    def refine(crops, coefficients, cameras):
        seen.append(len(crops))
        mesh = project_landmarks(basis, initial_state(coefficients, cameras[0])).pixels
        return DenseLandmarks(mesh + [pixels if len(seen) == 1 else 0.0, 0.0], np.ones(mesh.shape[:2]))

    detector: Any = Finds(face.detection)
    refiner: Any = refine
    other = Reconstructor(face.face_model, detector, networks.regressor, reconstructor.checkpoint, refiner=refiner)
    other.reconstruct([face.photo])
    assert seen == [1] * looks


def test_a_photo_without_a_face_is_named(reconstructor):
    with pytest.raises(NoFaceFound, match="wall"):
        reconstructor(Photo(np.full((200, 200, 3), 200, np.uint8), "wall.png", "0" * 64))


def test_missing_and_foreign_files_are_named(tmp_path, toy_checkpoint_path):
    with pytest.raises(FaceModelMissing, match="nowhere"):
        Reconstructor.load(face_model=tmp_path / "nowhere.safetensors")
    with pytest.raises(CheckpointMissing, match="nowhere"):
        Reconstructor.load(checkpoint=tmp_path / "nowhere.safetensors")
    with pytest.raises(CheckpointMismatch, match="face model"):
        Reconstructor.load(checkpoint=toy_checkpoint_path)
