"""Build what the open face model lacks of a whole head: neck and shoulders, a finer mouth, lashes.

    python bfm/build_whole_head.py SOURCE --out bfm/whole_head.safetensors

SOURCE is ict_facekit.npz (packed) or the folder FaceXModel of ICT-FaceKit as published. Vertices are appended to those
of the model, which keep their numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from deep3d.face_model import FaceModel, default_face_model
from deep3d.files.tensor_file import write_tensors
from recipe.bust import build_bust, model_offset
from recipe.lashes import build_lashes
from recipe.mouth import OWN, OWN_UPPER, PALETTE, build_mouth, lips
from recipe.source import Source, read_source


def main() -> None:
    """Read the command line, build, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("whole_head.safetensors"))
    arguments = parser.parse_args()
    model = default_face_model()
    metadata = {
        "name": "deep3d whole head",
        "version": "1",
        "licence": "MIT",
        "source": "ICT Face Model Light (USC ICT, Vision and Graphics Lab, MIT licence)",
        "face_model": model.info.sha256,
    }
    write_tensors(arguments.out, build(read_source(arguments.source), model), metadata)


def build(source: Source, model: FaceModel) -> dict[str, np.ndarray]:
    """The arrays that `deep3d/whole_head/parts.py` reads: first the bust, then the mouth and the lashes."""
    offset = model_offset(source, model)
    bust = build_bust(source, model)
    count = len(model.mean_shape) + len(bust["vertices"])
    mouth = build_mouth(source, model, offset, count)
    lashes = build_lashes(source, model, offset, count + len(mouth["vertices"]))
    both = _joined(bust, mouth, lashes)
    return {
        "vertices": both["vertices"].astype(np.float32),
        "carriers": both["carriers"].astype(np.uint16),
        "weights": both["weights"].astype(np.float16),
        "triangles": both["triangles"].astype(np.uint16),
        "uv": both["uv"].astype(np.float32),
        "uv_triangles": both["uv_triangles"].astype(np.uint16),
        "light": bust["light"].astype(np.float16),
        "worn": bust["worn"].astype(np.uint8),
        "replaced": OWN.astype(np.uint16),
        "palette": np.array(PALETTE, np.float32),
        "enamel": _front_teeth(model).astype(np.uint16),
        "arch": np.pad(mouth["arch"], (len(bust["vertices"]), len(lashes["vertices"]))).astype(np.uint8),
        "lips": lips(model).astype(np.uint16),
        "tongue": mouth["tongue"].astype(np.uint16),
        "tongue_out": mouth["tongue_out"].astype(np.float16),
    }


def _joined(*parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What all parts have, one after another; UVs are numbered anew, and points have as many carriers."""
    first = np.cumsum([0, *(len(part["uv"]) for part in parts)])
    width = max(part["carriers"].shape[1] for part in parts)
    return {
        "uv_triangles": np.concatenate([part["uv_triangles"] + start for part, start in zip(parts, first)]),
        **{name: np.concatenate([part[name] for part in parts]) for name in ("vertices", "triangles", "uv")},
        **{
            name: np.concatenate([np.pad(part[name], ((0, 0), (0, width - part[name].shape[1]))) for part in parts])
            for name in ("carriers", "weights")
        },
    }


def _front_teeth(model: FaceModel) -> np.ndarray:
    """The model's own vertices of the upper front teeth, which photos show."""
    return OWN_UPPER[model.mean_shape[OWN_UPPER, 2] > 0.33]


if __name__ == "__main__":
    main()
