"""Training of the refiner on inaccurately placed meshes, to predict the error of each landmark."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from deep3d.camera import DEEP3D_CAMERA, Camera
from deep3d.coefficients import EXPRESSION, IDENTITY, ROTATION, TRANSLATION, FaceCoefficients
from deep3d.errors import ConfigError
from deep3d.face_model import read_face_model
from deep3d.landmarks import JAW
from deep3d.network.checkpoints import Checkpoint
from deep3d.refiner import FaceChart, read_refiner, refiner_path
from deep3d.refiner.refiner import shape_input, upright
from deep3d.synthetic.device.transfer import to_device
from deep3d.training.batch_norms import restore_batch_norms
from deep3d.training.helpers import ahead
from deep3d.training.loop import Losses, Progress, run_stages
from deep3d.training.losses import dense_terms
from deep3d.training.refiner.config import RefinerConfig, RefinerLossWeights
from deep3d.training.refiner.network import RefinerNetwork
from deep3d.training.refiner.starts import StartMaker, Starts
from deep3d.training.refiner.unwrapping import DeviceUnwrapper, HostUnwrapper, Unwrapper
from deep3d.training.run import Run
from deep3d.training.team import ALONE, Team

TERMS = ("total", "dense", "certainty", "portrait_dense", "portrait_certainty")

VIEWS_FOR_BATCH_NORMS = 128

REGRESSED = 0.4  # of the faces start from the regressor, the others from a fit
DISTURBED = 0.6  # of the faces are moved a little from their start
HALFWAY = 0.5  # of these are moved toward the true shape, as in a second pass
FARTHEST = 0.8  # of that way
JAW_SHARE = 0.15  # of the weight of other landmarks, on portraits, whose reference has another jaw line
_SCATTER = np.zeros(257, np.float32)  # of the disturbance, in the units of the coefficients
_SCATTER[IDENTITY], _SCATTER[EXPRESSION], _SCATTER[ROTATION] = 0.12, 0.02, 0.015
_SCATTER[TRANSLATION] = 0.006, 0.006, 0.0


@dataclass(frozen=True)
class View:
    """Inputs and targets of the refiner for B faces."""

    charts: Tensor  # (B, 9, S, S)
    shapes: Tensor  # (B, 144)
    offsets: Tensor  # (B, N, 2) crop pixels along the upright face, NaN where unknown

    def joined(self, other: View) -> View:
        """These faces, then others."""
        return View(*(torch.cat([getattr(self, part.name), getattr(other, part.name)]) for part in fields(View)))


@dataclass(frozen=True)
class Faces:
    """What a run trains on."""

    heads: Starts
    portraits: Starts | None
    traced: Starts | None


def train_refiner(
    config: RefinerConfig, start: Checkpoint, model_path: Path, folder: Path, progress: Progress, team: Team = ALONE
) -> RefinerNetwork:
    """Draw the faces, run the schedule or the rest of it, and return the averaged network; see `run_stages`.

    Raises: ConfigError if the folder has the state of another run, or there is no refiner to start from;
    CheckpointError; FaceModelError; DatasetError; RuntimeUnavailable.
    """
    torch.manual_seed(config.seed)
    model = read_face_model(model_path)
    chart = FaceChart.of(model, start.dense_vertices)
    maker = StartMaker(start, model_path, config.workers, team.device)
    team.from_leader(lambda: _draw_faces(config, maker, folder) and None)
    faces = _draw_faces(config, maker, folder)  # they exist by now
    network = RefinerNetwork(chart.places)
    on_host = HostUnwrapper(model, chart)
    unwrap = DeviceUnwrapper(model, chart, team.device) if team.device.type == "cuda" else on_host
    if config.go_on:
        views = ViewDrawer(on_host, np.random.default_rng(config.seed))
        _start_from_refiner(network, start, views.draw(faces.heads, VIEWS_FOR_BATCH_NORMS))
    run = Run.new("refiner", config, model.info.sha256, folder, network, "refiner", team)
    batches = _Batches(config, faces, unwrap, config.seed + 1000 * run.step + 1_000_000 * team.rank)

    @contextmanager
    def open_stage(_: object) -> Iterator[Losses]:
        with ThreadPoolExecutor(config.workers) as pool, threadpool_limits(1, user_api="blas"):
            jobs = (pool.submit(batches.draw, number) for number in count())
            yield _Losses(config.loss, (job.result() for job in ahead(jobs, config.workers + 1)), team.device)

    run_stages(run, [config.schedule], open_stage, TERMS, progress)
    average = run.average.module
    assert isinstance(average, RefinerNetwork)
    return average.eval().cpu()


def _start_from_refiner(network: RefinerNetwork, start: Checkpoint, view: View) -> None:
    weights = read_refiner(start)
    if weights is None:
        raise ConfigError(f"{refiner_path(start)}: not found; remove 'go_on' to start from random weights")
    network.take(weights.arrays)
    restore_batch_norms(network, view.charts, view.shapes)


def _draw_faces(config: RefinerConfig, maker: StartMaker, folder: Path) -> Faces:
    """The synthetic heads of a run, its crops of portraits and its path-traced heads, if any."""
    heads = maker.heads(folder, config.heads, config.seed)
    portraits = traced = None
    if config.portraits is not None and config.portrait_share:
        portraits = maker.portraits(folder, Path(config.portraits), config.portrait_crops, config.seed)
    if config.traced is not None and config.traced_share:
        traced = maker.traced(folder, Path(config.traced))
    return Faces(heads, portraits, traced)


@dataclass(frozen=True)
class ViewDrawer:
    """Unwraps faces by approximately correct meshes."""

    unwrap: Unwrapper
    rng: np.random.Generator

    def draw(self, starts: Starts, count: int) -> View:
        """`count` of the faces, turned heads more often than others."""
        rows = np.sort(self.rng.choice(len(starts.crops), count, p=starts.odds))
        vectors, cameras = self._disturbed(starts, rows)
        face = FaceCoefficients.from_vector(vectors)
        charts, seen = self.unwrap(starts.crops[rows], face, cameras)
        points, along, shapes = (
            to_device(part, seen.device) for part in (starts.points[rows], upright(face.rotation), shape_input(face))
        )
        return View(charts, shapes, (points - seen) @ along.mT)

    def _disturbed(self, starts: Starts, rows: np.ndarray) -> tuple[np.ndarray, list[Camera]]:
        """Disturbed starts of the faces: vectors (B, 257), and their cameras."""
        rng, count = self.rng, len(rows)
        regressed = rng.random(count) < REGRESSED
        vectors = np.where(regressed[:, None], starts.regressed[rows], starts.fitted[rows])
        disturbed = (rng.random(count) < DISTURBED)[:, None]
        way = rng.uniform(0, FARTHEST, (count, 1)) * (rng.random((count, 1)) < HALFWAY)
        shape = slice(IDENTITY.start, EXPRESSION.stop)
        toward = np.nan_to_num(starts.true[rows][:, shape] - vectors[:, shape])
        vectors[:, shape] += disturbed * way * toward
        vectors += disturbed * rng.normal(size=vectors.shape) * _SCATTER
        cameras = [
            DEEP3D_CAMERA if fixed else Camera(*(float(number) for number in lens))
            for fixed, lens in zip(regressed, starts.lenses[rows])
        ]
        return vectors.astype(np.float32), cameras


@dataclass(frozen=True)
class _Batches:
    """The batches of a run."""

    config: RefinerConfig
    faces: Faces
    unwrap: Unwrapper
    seed: int

    def draw(self, number: int) -> list[View]:
        """One batch, heads and any portraits. Unwrapping, most of the work, releases the interpreter lock or runs on a
        GPU.
        """
        config, faces, size = self.config, self.faces, self.config.schedule.batch_size
        real = round(size * config.portrait_share) if faces.portraits is not None else 0
        traced = round((size - real) * config.traced_share) if faces.traced is not None else 0
        drawer = ViewDrawer(self.unwrap, np.random.default_rng((self.seed, number)))
        drawn = drawer.draw(faces.heads, size - real - traced)
        if faces.traced is not None and traced:
            drawn = drawn.joined(drawer.draw(faces.traced, traced))
        return [drawn] if faces.portraits is None or not real else [drawn, drawer.draw(faces.portraits, real)]


@dataclass(frozen=True)
class _Losses:
    """The loss of a batch."""

    weights: RefinerLossWeights
    batches: Iterator[list[View]]
    device: torch.device

    def __call__(self, module: nn.Module) -> dict[str, Tensor]:
        module.train()
        drawn = next(self.batches)
        charts = torch.cat([view.charts for view in drawn]).to(self.device).to(memory_format=torch.channels_last)
        shapes = torch.cat([view.shapes for view in drawn]).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            landmarks = module(charts, shapes)
        parts = landmarks.split([len(view.charts) for view in drawn])
        offsets = [view.offsets.to(self.device) for view in drawn]
        return refiner_loss(self.weights, list(zip(parts, offsets, strict=True)))


def refiner_loss(weights: RefinerLossWeights, parts: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """The terms for heads and, if there is a second part, for portraits: of predicted landmarks
    (B, N, 3) and true offsets (B, N, 2).
    """
    terms = dense_terms(*parts[0])
    terms["total"] = _weighted(weights, terms)
    for landmarks, offsets in parts[1:]:
        share = torch.ones(68, device=landmarks.device)
        share[JAW].fill_(JAW_SHARE)
        real = dense_terms(landmarks[:, :68], offsets[:, :68], share)
        terms |= {f"portrait_{name}": term for name, term in real.items()}
        terms["total"] = terms["total"] + weights.portraits * _weighted(weights, real)
    return terms


def _weighted(weights: RefinerLossWeights, terms: dict[str, Tensor]) -> Tensor:
    return weights.dense * terms["dense"] + weights.certainty * terms["certainty"]
