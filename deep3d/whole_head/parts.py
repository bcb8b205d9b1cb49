"""The parts that complete the open face model, from `bfm/whole_head.safetensors`: their mesh, and what moves them.

Each point is carried by some vertices of the model: it moves by the mean of their movements, and takes the mean of
their colours. So identities, expressions and what a fit adds beyond them move the parts without data of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.face_model import FaceModel
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors

PARTS = "whole_head.safetensors"
COLLAR, BODY = 1, 2  # of the shirt that the bust wears


@dataclass(frozen=True, eq=False)
class Parts:
    """P points beside the V vertices of a face model; decimetres in model space."""

    vertices: np.ndarray  # (P, 3) float32, of the mean head
    carriers: np.ndarray  # (P, K) int64 vertices of the model
    weights: np.ndarray  # (P, K) float32, their sum is 1
    triangles: np.ndarray  # (T, 3) int32 of the model's vertices and, from V on, these
    uv: np.ndarray  # (U, 2) float32 in the model's atlas, where it has no charts
    uv_triangles: np.ndarray  # (T, 3) int32 into `uv`
    light: np.ndarray  # (B,) float32 brightness of the first points, the bust: of skin, relative to the carriers'
    worn: np.ndarray  # (B,) uint8 what they show: COLLAR and BODY of a shirt, 0 is skin
    replaced: np.ndarray  # (M,) int64 vertices of the model in whose place the mouth is, the next points; then lashes
    palette: np.ndarray  # (4,) left, bottom, right, top in the atlas: the colours of these
    enamel: np.ndarray  # (E,) int64 vertices of the model where the texture has the colour of its teeth
    arch: np.ndarray  # (P,) uint8: 1 for what goes with the upper teeth, 2 with the lower ones, 0 for the rest
    lips: np.ndarray  # (L,) int64 vertices of the model behind which the arches lie
    tongue: np.ndarray  # (N,) int64 vertices of the whole head that ARKit's tongueOut moves, ascending
    tongue_out: np.ndarray  # (N, 3) float32 how far, decimetres

    def carried(self, values: np.ndarray) -> np.ndarray:
        """(P, n) means of what the vertices (V, n) have."""
        return np.einsum("pkc,pk->pc", values[self.carriers], self.weights)

    def bust(self, values: np.ndarray) -> np.ndarray:
        """(B, n) those of the bust, whatever it wears."""
        return self.carried(values)[: len(self.light)]

    @classmethod
    def none(cls) -> Parts:
        """No parts."""
        empty = np.zeros((0, 3), np.float32)
        corners = np.zeros((0, 3), np.int32)
        carriers = np.zeros((0, 1), np.int64)
        no_numbers = carriers[:, 0]
        return cls(
            vertices=empty,
            carriers=carriers,
            weights=empty[:, :1],
            triangles=corners,
            uv=empty[:, :2],
            uv_triangles=corners,
            light=empty[:, 0],
            worn=np.zeros(0, np.uint8),
            replaced=no_numbers,
            palette=np.zeros(4, np.float32),
            enamel=no_numbers,
            arch=np.zeros(0, np.uint8),
            lips=no_numbers,
            tongue=no_numbers,
            tongue_out=empty,
        )


def read_parts(face_model: FaceModel) -> Parts:
    """The shipped parts, none for a face model that they do not belong to.

    Raises: FaceModelInvalid if the shipped file is missing or damaged.
    """
    path = asset("bfm", PARTS)
    try:
        file = read_tensors(path)
        if file.metadata["face_model"] != face_model.info.sha256:
            return Parts.none()
        arrays = file.arrays
        weights = arrays["weights"].astype(np.float32)
        return Parts(
            vertices=arrays["vertices"],
            carriers=arrays["carriers"].astype(np.int64),
            weights=weights / weights.sum(axis=1, keepdims=True),
            triangles=arrays["triangles"].astype(np.int32),
            uv=arrays["uv"],
            uv_triangles=arrays["uv_triangles"].astype(np.int32),
            light=arrays["light"].astype(np.float32),
            worn=arrays["worn"],
            replaced=arrays["replaced"].astype(np.int64),
            palette=arrays["palette"],
            enamel=arrays["enamel"].astype(np.int64),
            arch=arrays["arch"],
            lips=arrays["lips"].astype(np.int64),
            tongue=arrays["tongue"].astype(np.int64),
            tongue_out=arrays["tongue_out"].astype(np.float32),
        )
    except (OSError, ValueError, KeyError) as error:
        raise FaceModelInvalid(f"{path}: no parts of a head in it ({error}); get the file again") from error
