"""Makes reference.npz: what Deep3DFaceRecon_pytorch computes of made-up input.

    python -m tests.golden.make FOLDER

FOLDER is a checkout of sicxu/Deep3DFaceRecon_pytorch (MIT licence) at 9167c71, with opencv, scikit-image, kornia and
torch installed. None of its code or data goes into the file. Two things of it are replaced: the face recogniser that it
imports and does not use here, and what later versions of numpy refuse.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from deep3d.alignment import STANDARD_POINTS
from deep3d.face_model import FaceModel, read_face_model, write_face_model
from tests.conftest import make_toy_model_arrays, make_toy_model_metadata
from tests.golden import inputs

FILE = Path(__file__).with_name("reference.npz")


def main(folder: Path) -> None:
    """Run the reference and write the file."""
    sys.path.insert(0, str(folder))
    for name in ("models", "models.arcface_torch", "models.arcface_torch.backbones"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["models"].__path__ = [str(folder / "models")]
    sys.modules["models.arcface_torch.backbones"].get_model = None  # pyright: ignore[reportAttributeAccessIssue]
    arrays = geometry() | alignment() | network()
    np.savez_compressed(FILE, **arrays)  # pyright: ignore[reportArgumentType]


def geometry() -> dict[str, np.ndarray]:
    """Shape, pose, light and projection of the toy face model."""
    from models.bfm import SH, ParametricFaceModel, perspective_projection  # pyright: ignore[reportMissingImports]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "toy.safetensors"
        write_face_model(path, make_toy_model_arrays(), make_toy_model_metadata())
        model: FaceModel = read_face_model(path)
    reference = ParametricFaceModel.__new__(ParametricFaceModel)
    reference.mean_shape = model.mean_shape.reshape(-1, 1)
    reference.id_base, reference.exp_base = model.identity_basis.T, model.expression_basis.T
    reference.mean_tex = 255 * model.mean_albedo.reshape(1, -1)
    reference.tex_base = 255 * model.albedo_basis.T
    reference.face_buf = model.triangles.astype(np.int64)
    reference.point_buf = triangles_of_vertices(model)
    reference.keypoints = np.arange(68)
    reference.persc_proj = perspective_projection(1015.0, 112.0)
    reference.camera_distance, reference.SH = 10.0, SH()
    reference.init_lit = np.array([0.8, 0, 0, 0, 0, 0, 0, 0, 0], np.float32).reshape(1, 1, -1)
    reference.to("cpu")
    parts = reference.split_coeff(torch.from_numpy(inputs.coefficients()))
    shape = reference.compute_shape(parts["id"], parts["exp"])
    rotation = reference.compute_rotation(parts["angle"])
    placed = reference.to_camera(reference.transform(shape, rotation, parts["trans"]))
    normals = reference.compute_norm(shape)
    texture = reference.compute_texture(parts["tex"])
    results = {
        "face_shape": shape,
        "rotation": rotation,
        "face_vertex": placed,
        "projection": reference.to_image(placed),
        "face_texture": texture,
        "vertex_normal_object": normals,
        "vertex_normal_rotated": normals @ rotation,
        "face_color": reference.compute_color(texture, normals @ rotation, parts["gamma"]),
    }
    return {name: value.numpy().astype(np.float32) for name, value in results.items()}


def triangles_of_vertices(model: FaceModel) -> np.ndarray:
    """The reference's table (V, 8): the triangles round each vertex, one past the last where there are fewer."""
    table = np.full((len(model.mean_shape), 8), len(model.triangles))
    for vertex in range(len(table)):
        round_it = np.flatnonzero((model.triangles == vertex).any(axis=1))
        table[vertex, : len(round_it)] = round_it
    return table


def alignment() -> dict[str, np.ndarray]:
    """Crops of noise by five points."""
    setattr(np, "VisibleDeprecationWarning", DeprecationWarning)  # noqa: B010
    from util import preprocess  # pyright: ignore[reportMissingImports]

    position = preprocess.POS
    preprocess.POS = lambda *points: [np.squeeze(part) for part in position(*points)]
    found: dict[str, list] = {"trans_params": [], "aligned_points": [], "crop_sha256": []}
    for width, height in inputs.PHOTO_SIZES:
        picture = Image.fromarray(inputs.photo(width, height))
        points = inputs.five_points(width, height)
        points[:, 1] = height - 1 - points[:, 1]
        params, crop, aligned, _ = preprocess.align_img(picture, points, STANDARD_POINTS)
        found["trans_params"].append(params)
        found["aligned_points"].append(aligned)
        found["crop_sha256"].append(hashlib.sha256(np.asarray(crop).tobytes()).hexdigest())
    return {name: np.array(values) for name, values in found.items()}


def network() -> dict[str, np.ndarray]:
    """The regressor's output for two crops of noise."""
    from models.networks import define_net_recon  # pyright: ignore[reportMissingImports]

    regressor = define_net_recon("resnet50").eval()
    shapes = {name: tuple(value.shape) for name, value in regressor.state_dict().items()}
    weights = inputs.weights(shapes)
    regressor.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    with torch.inference_mode():
        output = regressor(torch.from_numpy(inputs.crops()).permute(0, 3, 1, 2) / 255)
    return {"network_output": output.numpy()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
