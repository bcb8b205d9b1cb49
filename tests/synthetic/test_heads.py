"""Synthetic heads of the shipped model."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.lighting import shade
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.synthetic.device.heads import DeviceHeadGenerator
from deep3d.synthetic.heads import HeadGenerator, Heads


def test_the_same_seed_draws_the_same_heads(model):
    first, second = HeadGenerator(model, 7).draw(2), HeadGenerator(model, 7).draw(2)
    other = HeadGenerator(model, 8).draw(2)
    assert_array_equal(first.crops, second.crops)
    assert_array_equal(first.vectors, second.vectors)
    assert (other.crops != first.crops).mean() > 0.5


def test_one_person_keeps_shape_and_skin_and_changes_all_else(model):
    labels = FaceCoefficients.from_vector(HeadGenerator(model, 7).draw_person(3).vectors)
    for field in ("identity", "albedo"):
        assert np.ptp(getattr(labels, field), axis=0).max() == 0
    for field in ("expression", "rotation", "lighting"):
        assert np.ptp(getattr(labels, field), axis=0).max() > 0.1


@pytest.fixture(scope="module", params=["processor", "device"])
def heads(model, request) -> Heads:
    """Of both generators; the one for GPUs draws on the processor here."""
    if request.param == "processor":
        return HeadGenerator(model, 2).draw(32)
    drawn = DeviceHeadGenerator(model, 2, (), CpuRasterizer(), torch.device("cpu")).draw(32)
    return Heads(drawn.crops.numpy(), drawn.vectors.numpy(), drawn.points.numpy())


def test_labels_lie_in_the_ranges_they_are_documented_with(heads):
    labels = FaceCoefficients.from_vector(heads.vectors)
    assert heads.crops.shape == (32, 224, 224, 3) and heads.crops.dtype == np.uint8
    assert np.isfinite(heads.vectors).all()
    assert labels.expression[:, :53].min() >= 0 and labels.expression[:, :53].max() <= 1
    assert np.abs(np.degrees(labels.rotation[:, 1])).max() < 110
    assert 0.5 < labels.identity.std() < 1.4


def test_alignment_puts_the_noses_near_the_middle_of_crops(model, heads):
    labels = FaceCoefficients.from_vector(heads.vectors)
    vertices = place(model.shape(labels), labels.rotation, labels.translation)
    nose = project(model.landmarks(vertices))[:, 30]
    assert ((nose > 20) & (nose < 204)).all(axis=1).mean() > 0.95
    eyes = model.landmarks(vertices)[:, [36, 45]]
    assert np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1).std() > 0.01  # people differ


def test_the_picture_shows_the_labelled_face_where_the_label_says(model, heads):
    """The brightness that the labels foretell for each vertex agrees with the pixel there, and less so beside it.

    Hair, glasses, obstacles and the photo's development come as they may; the shifts are a fifteenth of a face.
    """
    labels = FaceCoefficients.from_vector(heads.vectors)
    vertices = place(model.shape(labels), labels.rotation, labels.translation)
    normals = model.normals(vertices)
    foretold = shade(model.albedo(labels.albedo), normals, labels.lighting).mean(axis=2)
    grey = heads.crops.mean(axis=3)
    face = model.mean_shape[:, 2] > np.quantile(model.mean_shape[:, 2], 0.6)
    pixels = np.rint(project(vertices)).astype(int)

    def agreement(dx: int, dy: int) -> float:
        found = []
        for b in range(len(grey)):
            x, y = pixels[b, :, 0] + dx, pixels[b, :, 1] + dy
            rows = face & (normals[b, :, 2] > 0.3) & (x >= 0) & (x < 224) & (y >= 0) & (y < 224)
            found.append(np.corrcoef(grey[b, y[rows], x[rows]], foretold[b, rows])[0, 1])
        return float(np.median(found))  # a hand may cover a face

    there = agreement(0, 0)
    beside = [agreement(dx, dy) for dx in (-8, 0, 8) for dy in (-8, 0, 8) if dx or dy]
    assert there > 0.5
    assert there > max(beside) + 0.2
