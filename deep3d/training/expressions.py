"""How a checkpoint, its refiner and the fit respond to named expressions: measured on drawn heads.

    deep3d train expressions --out checkpoints/deep3d_resnet50.expressions.safetensors --portraits PORTRAITS

Heads are drawn with one expression or a pair, with others, at rest and with faces that people make, and reconstructed
like any photo. Their answers are taken as linear in the weights (ridge regression about the expression itself); what
they miss is the covariance by which `fitting.named_expressions` weighs them. Real faces at rest differ from drawn ones:
how they do is learned from photos, and belongs to that covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE
from deep3d.files.tensor_file import write_tensors
from deep3d.fitting.basis import EXPRESSIONS, NAMED_EXPRESSIONS
from deep3d.fitting.gaze import UNSEEN
from deep3d.fitting.named_expressions import ExpressionResponse, solve_weights
from deep3d.photo import Photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction
from deep3d.synthetic.heads import HeadGenerator

WANTED = ("eyeBlink", "eyeLook", "brow", "jawOpen", "mouthSmile", "mouthFrown", "mouthPucker")
"""How the names begin of those that most heads are drawn of."""
ONE, OTHER, REST = 0.55, 0.10, 0.12
"""Share of heads with one of these or a pair, with one of the others, and at rest; the rest are faces people make."""
STRENGTHS = (0.5, 1.0)
PAIRED = 0.5  # of the expressions with two sides, how often both are drawn
ACCOMPANIED, COMPANIONS, FAINTEST = 0.3, 2, 0.3  # share of heads with faint others, how many, up to which strength
BATCH = 8
RIDGE = 0.5  # strength, in heads, of the prior that coefficients are weights
OWN = 0.3  # shrinkage of the covariance toward its variances
FLOOR = 1e-5
WIDEST = 45.0  # degrees of yaw, above which a face contains little of its hidden half
SMILING = ("mouth", "jaw", "cheek")
"""What real faces do before a camera: this is explained first, and what is left is how they differ."""
REAL = 0.05  # of the covariance of real faces that counts, beside all of their mean


def measure_response(
    reconstructor: Reconstructor, heads: int, seed: int, advance: Callable[[int, int], None]
) -> dict[str, np.ndarray]:
    """The arrays of a response file from so many drawn heads."""
    rng, names = np.random.default_rng(seed), reconstructor.face_model.expression_names
    generator = HeadGenerator(reconstructor.face_model, seed)
    answers, given = [], []
    for start in range(0, heads, BATCH):
        drawn = generator.draw_expressions(random_weights(rng, BATCH, names))
        photos = [photo_of(crop) for crop in drawn.crops]
        for vector, faces in zip(drawn.vectors, reconstructor.reconstruct(photos), strict=True):
            if faces and _is_measured(faces[0]):
                answers.append(_expression(faces[0]))
                given.append(vector[80 : 80 + NAMED_EXPRESSIONS].astype(np.float64))
        advance(start + BATCH, heads)
    return response_of(np.array(given), np.array(answers), names)


def random_weights(rng: np.random.Generator, count: int, names: Sequence[str]) -> np.ndarray:
    """Expressions (count, 64) to draw; NaN where the generator is to make a face of its own."""
    wanted = [name for name in names[:NAMED_EXPRESSIONS] if name.startswith(WANTED)]
    others = [name for name in names[:NAMED_EXPRESSIONS] if name not in wanted]
    drawn = np.zeros((count, EXPRESSIONS), np.float32)
    kinds = rng.choice(4, count, p=[ONE, OTHER, REST, 1 - ONE - OTHER - REST])
    for weights, kind in zip(drawn, kinds, strict=True):
        if kind == 3:
            weights[:] = np.nan
        if kind < 2:
            name = str(rng.choice([wanted, others][kind]))
            both = [name, _fellow(name)] if rng.random() < PAIRED else [name]
            weights[[names.index(each) for each in both]] = rng.uniform(*STRENGTHS)
        if kind == 0 and rng.random() < ACCOMPANIED:
            companions = rng.integers(0, NAMED_EXPRESSIONS, COMPANIONS)
            weights[companions] = np.maximum(weights[companions], rng.uniform(0, FAINTEST, COMPANIONS))
    return drawn


def response_of(weights: np.ndarray, answers: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The response file's arrays, from the weights (N, 53) of N heads and their reconstructed coefficients (N, 64).

    Every head also counts mirrored, with left and right exchanged.
    """
    other = [names.index(_other_side(name)) for name in names]
    weights = np.concatenate([weights, weights[:, other[:NAMED_EXPRESSIONS]]])
    answers = np.concatenate([answers, answers[:, other]])
    known = np.column_stack([weights, np.ones(len(weights))])
    ridge = np.diag([RIDGE] * NAMED_EXPRESSIONS + [0.0])
    belief = np.eye(NAMED_EXPRESSIONS + 1, EXPRESSIONS)
    solution = np.linalg.solve(known.T @ known + ridge, known.T @ answers + ridge @ belief)
    missed = answers - known @ solution
    covariance = missed.T @ missed / len(missed)
    covariance = (1 - OWN) * covariance + OWN * np.diag(np.diag(covariance)) + FLOOR * np.eye(EXPRESSIONS)
    arrays = {"rest": solution[-1], "full": solution[:-1].T, "precision": np.linalg.inv(covariance)}
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def with_real_faces(
    arrays: dict[str, np.ndarray], answers: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """A response file's arrays that count what real faces, of coefficients (N, 64), have otherwise than drawn ones.

    The way in which they differ on average tells of no expression; nor does, less so, that in which they vary.
    """
    response = ExpressionResponse(*(arrays[name].astype(np.float64) for name in ("rest", "full", "precision")))
    number = {name: place for place, name in enumerate(names[:NAMED_EXPRESSIONS])}
    smiling = np.array([name.startswith(SMILING) for name in number])
    weights = np.array([solve_weights(answer, response, (UNSEEN, UNSEEN), number) for answer in answers]) * smiling
    missed = answers - response.rest - weights @ response.full.T
    mean = missed.mean(axis=0)
    covariance = np.linalg.inv(response.precision) + np.outer(mean, mean) + REAL * np.cov(missed.T)
    return {**arrays, "precision": np.linalg.inv(covariance).astype(np.float32)}


def real_answers(reconstructor: Reconstructor, photos: Iterable[Photo]) -> np.ndarray:
    """The expression coefficients (N, 64) of the faces in photos, but for those turned far."""
    faces = (face for photo in photos for face in reconstructor.reconstruct([photo])[0])
    return np.array([_expression(face) for face in faces if _is_measured(face)])


def _is_measured(face: Reconstruction) -> bool:
    return abs(face.pose.yaw) < WIDEST


def _expression(face: Reconstruction) -> np.ndarray:
    return face.coefficients.expression[0].astype(np.float64)


def _fellow(name: str) -> str:
    """What goes with an expression of one side: the same of the other, but eyes that look aside look the same way."""
    turned = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}
    base, _, side = name.rpartition("_")
    return f"{turned[base]}_{'LR'[side == 'L']}" if base in turned else _other_side(name)


def _other_side(name: str) -> str:
    """The expression of the mirrored face."""
    for one, other in (("Left", "Right"), ("_L", "_R")):
        if name.endswith((one, other)):
            return name.removesuffix(one) + other if name.endswith(one) else name.removesuffix(other) + one
    return name


def write_response(path: Path, arrays: dict[str, np.ndarray], checkpoint_sha256: str) -> None:
    """Write the file of a checkpoint."""
    write_tensors(path, arrays, {"schema": "deep3d.expression_response/1", "checkpoint_sha256": checkpoint_sha256})


def photo_of(crop: np.ndarray) -> Photo:
    """A rendered head (224, 224, 3) as a photo, with a border of half its width in its edge colours."""
    border = CROP_SIZE // 2
    return Photo(np.pad(crop, ((border, border), (border, border), (0, 0)), mode="edge"), "drawn head", "")
