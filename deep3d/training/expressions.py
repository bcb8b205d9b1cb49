"""How a checkpoint, its refiner and the fit answer to named expressions: measured on drawn heads.

    deep3d train expressions --out checkpoints/deep3d_resnet50.expressions.safetensors

A head of each expression alone is drawn several times, as others that the networks are trained on, and reconstructed
like any photo. The answers are taken as linear in the weights (ridge regression about the expression itself);
what they miss is the covariance by which `fitting.named_expressions` weighs them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.files.tensor_file import write_tensors
from deep3d.fitting.basis import NAMED_EXPRESSIONS
from deep3d.photo import Photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.heads import HeadGenerator

MEASURED = ("eyeBlink", "eyeLook", "brow", "jawOpen", "mouthSmile", "mouthFrown", "mouthPucker")
"""How the names begin of those that heads are drawn of: the others are hard to tell from these."""
BATCH = 8
RIDGE = 0.5  # heads' worth of the belief that coefficients are weights, which holds where nothing was measured
OWN = 0.3  # share of the covariance that is kept where only variances are known well
FLOOR = 1e-4
STRENGTHS = (0.6, 1.0)
WIDEST = 45.0  # degrees of yaw: beyond, a face says little of its hidden half


def measure_response(
    reconstructor: Reconstructor, heads: int, at_rest: int, seed: int, advance: Callable[[int, int], None]
) -> dict[str, np.ndarray]:
    """The arrays of a response file from so many heads of each expression, and others at rest."""
    rng = np.random.default_rng(seed)
    names = reconstructor.face_model.expression_names
    measured = [number for number, name in enumerate(names[:NAMED_EXPRESSIONS]) if name.startswith(MEASURED)]
    singles = np.repeat(np.eye(NAMED_EXPRESSIONS)[measured], heads, axis=0)
    singles *= rng.uniform(*STRENGTHS, (len(singles), 1))
    weights = rng.permutation(np.concatenate([singles, np.zeros((at_rest, NAMED_EXPRESSIONS))]))
    generator = HeadGenerator(reconstructor.face_model, seed)
    answers, given = [], []
    for start in range(0, len(weights), BATCH):
        batch = weights[start : start + BATCH]
        expressions = np.zeros((len(batch), 64), np.float32)
        expressions[:, :NAMED_EXPRESSIONS] = batch
        photos = [photo_of(crop) for crop in generator.draw_expressions(expressions).crops]
        for weight, faces in zip(batch, reconstructor.reconstruct(photos), strict=True):
            if faces and abs(faces[0].pose.yaw) < WIDEST:
                answers.append(faces[0].coefficients.expression[0].astype(np.float64))
                given.append(weight)
        advance(start + len(batch), len(weights))
    return response_of(np.array(given), np.array(answers), names)


def response_of(weights: np.ndarray, answers: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The response file's arrays, by the weights (N, 53) of N heads and the coefficients (N, 64) that they got.

    Every head counts a second time, mirrored: what is left is right then.
    """
    other = [names.index(_other_side(name)) for name in names]
    weights = np.concatenate([weights, weights[:, other[:NAMED_EXPRESSIONS]]])
    answers = np.concatenate([answers, answers[:, other]])
    rest = answers[weights.sum(axis=1) == 0].mean(axis=0)
    belief = np.eye(NAMED_EXPRESSIONS, answers.shape[1])
    normal = weights.T @ weights + RIDGE * np.eye(NAMED_EXPRESSIONS)
    full = np.linalg.solve(normal, weights.T @ (answers - rest) + RIDGE * belief).T
    missed = answers - rest - weights @ full.T
    covariance = missed.T @ missed / len(missed)
    covariance = (1 - OWN) * covariance + OWN * np.diag(np.diag(covariance)) + FLOOR * np.eye(len(covariance))
    arrays = {"rest": rest, "full": full, "precision": np.linalg.inv(covariance)}
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def _other_side(name: str) -> str:
    """The expression that a mirrored face has instead."""
    for one, other in (("Left", "Right"), ("_L", "_R")):
        if name.endswith((one, other)):
            return name.removesuffix(one) + other if name.endswith(one) else name.removesuffix(other) + one
    return name


def write_response(path: Path, arrays: dict[str, np.ndarray], checkpoint_sha256: str) -> None:
    """Write the file of a checkpoint."""
    write_tensors(path, arrays, {"schema": "deep3d.expression_response/1", "checkpoint_sha256": checkpoint_sha256})


def photo_of(crop: np.ndarray) -> Photo:
    """A drawn head (224, 224, 3) as a photo, with a border as wide as half of it in its own edge colours."""
    border = CROP_SIZE // 2
    return Photo(np.pad(crop, ((border, border), (border, border), (0, 0)), mode="edge"), "drawn head", "")
