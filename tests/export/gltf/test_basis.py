"""The file that browsers draw any face by: it gives the faces that the model gives."""

import json
import struct

import numpy as np
import pytest

from deep3d import basis_file
from deep3d.export.gltf.morph_targets import APPLE_NAMES
from deep3d.whole_head import WholeHead


@pytest.fixture(scope="module")
def parts(model):
    """The header, and the arrays by name."""
    content = basis_file(model)
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    at = 4 + length
    V, T = header["vertices"], header["triangles"]

    def take(kind, *shape):
        nonlocal at
        array = np.frombuffer(content, kind, int(np.prod(shape)), at).reshape(shape)
        at += array.nbytes
        return array

    arrays = {"mean": take("<i2", V, 3), "moving": [take("<u2", count) for count in header["expression"]]}
    arrays["offsets"] = [take("<i2", count, 3) for count in header["expression"]]
    arrays |= {"triangles": take("<u2", T, 3), "identity": take("<i1", 80, 3, V), "colours": take("<u1", V, 3)}
    assert at == len(content)
    return header, arrays


def test_it_says_whose_it_is(parts, model):
    header, arrays = parts
    assert header["model"] == model.info.sha256
    assert [target["name"] for target in header["targets"]] == list(APPLE_NAMES)
    np.testing.assert_array_equal(arrays["triangles"][: len(model.triangles)], model.triangles)
    colours = arrays["colours"][: len(model.mean_albedo)]
    assert np.abs(colours / 255 - np.clip(model.mean_albedo, 0, 1)).max() < 0.003


def open_edges(triangles, near):
    """How many borders of triangles (T, 3) have both ends in a mask (V,)."""
    edges = np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]).astype(np.int64)
    edges, count = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return int((near[edges].all(axis=1) & (count == 1)).sum())


def test_the_neck_is_closed_by_a_bust_in_a_shirt(parts, model):
    """The live page showed a head with a cut neck, into which one could look."""
    header, arrays = parts
    low = 10 * header["step"] * arrays["mean"][:, 1] < -1.0  # decimetres
    assert open_edges(model.triangles, low[: len(model.mean_shape)]) > 20
    assert open_edges(arrays["triangles"], low) == 0
    bust, worn = arrays["colours"][len(model.mean_shape) :].astype(float), WholeHead.of(model).parts.worn > 0
    neck = arrays["colours"][: len(model.mean_shape)][low[: len(model.mean_shape)] & (model.skin > 0.9)]
    assert worn.sum() > 500 and np.abs(bust[~worn].mean(axis=0) - neck.mean(axis=0)).max() < 12
    assert np.ptp(bust[worn].mean(axis=0)) < 10 and bust[worn].max() < neck.mean()


def test_faces_are_those_of_the_model_to_a_fifth_of_a_millimetre(parts, model):
    header, arrays = parts
    rng = np.random.default_rng(3)
    identity, expression = rng.standard_normal(80), rng.uniform(0, 1, 64)
    shape = arrays["mean"] * header["step"]
    for weight, scale, planes in zip(identity, header["identity"], arrays["identity"]):
        shape = shape + weight * scale * planes.T
    for weight, moving, offsets in zip(expression, arrays["moving"], arrays["offsets"]):
        shape[moving] += weight * header["step"] * offsets
    true = model.neutral_shape(identity[None].astype(np.float32)) + model.expression_offsets(expression[None])
    whole = WholeHead.of(model).vertices(true[0])[: len(shape)]
    away = 1000 * np.linalg.norm(shape - 0.1 * whole, axis=1)  # millimetres
    assert np.sqrt((away**2).mean()) < 0.2 and away.max() < 0.8
