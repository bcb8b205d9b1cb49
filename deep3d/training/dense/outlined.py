"""Portraits whose hair was outlined by hand, in many crops each, with the mesh that was fitted to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.camera import CROP_SIZE
from deep3d.dense.estimator import mesh_maps
from deep3d.dense.maps import reduced
from deep3d.errors import ConfigError, Deep3DError
from deep3d.files.whole_file import written_whole
from deep3d.hair.mask import cut_out
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.dressed_heads import HAIR, UNKNOWN, random_view
from deep3d.training.dense.dressed import dressed_type
from deep3d.training.dense.examples import keep_surface, read_examples

VIEWS = 24  # of each portrait
NOT_HAIR = 254  # in place of a class: any but hair


def outlined_examples(
    folder: Path, size: int, masks: Path, portraits: Path, seed: int, checkpoint: Path, model: Path
) -> np.ndarray:
    """(N,) of `dressed_type`, written into the folder of the run where they are not there yet.

    Masks are NAME.png, white where portraits/photos/NAME.jpg shows hair.

    Raises: ConfigError if there are none, or the folder has views of another size; DatasetError, PhotoInvalid.
    """
    path = folder / "outlined.npy"
    if not path.exists():
        paths = sorted(masks.glob("*.png"))
        if not paths:
            raise ConfigError(f"{masks}: no masks there; give a folder of NAME.png, or leave 'masks' out")
        reconstructor = Reconstructor.load(checkpoint, model, threads=1)
        rng = np.random.default_rng(seed)
        found = [_views(reconstructor, rng, size, portraits / "photos", mask) for mask in paths]
        with written_whole(path) as partial, partial.open("wb") as file:
            np.save(file, np.concatenate(found))
    return np.array(read_examples(path, dressed_type(size)))


def _views(reconstructor: Reconstructor, rng: np.random.Generator, size: int, photos: Path, mask: Path) -> np.ndarray:
    """(VIEWS,) of `dressed_type` of one portrait."""
    kept = np.empty(VIEWS, dressed_type(size))
    try:
        face = reconstructor(photos / f"{mask.stem}.jpg")
    except Deep3DError:
        return kept[:0]
    with Image.open(mask) as picture:
        hair = np.repeat(np.asarray(picture.convert("L"))[..., None], 3, axis=2)
    for chunk in np.split(kept, VIEWS):
        view = random_view(rng)
        to_photo = face.crop.matrix @ np.linalg.inv(view.matrix)
        whole, step = (CROP_SIZE, CROP_SIZE), CROP_SIZE // size
        crop, inside = cut_out(face.photo.pixels, to_photo, whole)
        truth, _ = cut_out(hair, to_photo, whole)
        chunk["crop"] = reduced(crop[None], size)
        seen = np.where(reduced(truth[None], size)[..., 0] > 127, HAIR, NOT_HAIR)
        chunk["classes"] = np.where(inside[None, ::step, ::step], seen, UNKNOWN)
        start = mesh_maps(reconstructor.face_model, face.coefficients, [view.camera(face.camera)], size)
        chunk["start_covered"] = start.covered
        keep_surface(chunk, "start_", start)
    return kept
