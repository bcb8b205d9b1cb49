"""Monitoring of a weakly supervised run: errors on held-out photos, curves and pictures in TensorBoard."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.landmarks import INNER, landmark_errors
from deep3d.training.loop import Watch
from deep3d.training.run import Run
from deep3d.training.weak.augmentation import plain_crops, regressor_input
from deep3d.training.weak.drawn_faces import DrawnFaces, FaceDrawer
from deep3d.training.weak.losses import photometric
from deep3d.training.weak.wide_crops import WideCropSet, batches_in_order

MEASURE_EVERY = 100  # steps, a multiple of loop.LOG_EVERY
MEASURES = ("photometric", "nme51", "nme68", "dense_nme51")
_BATCH = 16
_SHOWN = 4  # faces of a picture


@contextmanager
def watching(run: Run, drawer: FaceDrawer, held_out: WideCropSet, crop_size: int) -> Iterator[Watch | None]:
    """The watch for the loop, in the leading process; it also measures the photos at the start."""
    if not run.team.leads:
        yield None
        return
    with SummaryWriter(str(run.folder / "tensorboard"), purge_step=run.step + 1) as writer:
        watch = _WeakWatch(run, drawer, held_out, crop_size, writer)
        if run.step == 0:
            watch.measure()
        yield watch


@dataclass(frozen=True)
class _WeakWatch:
    run: Run
    drawer: FaceDrawer
    held_out: WideCropSet
    crop_size: int
    writer: SummaryWriter

    def __call__(self, step: int, terms: dict[str, float]) -> None:
        for name, value in terms.items():
            self.writer.add_scalar(f"loss/{name}", value, step)
        self.writer.add_scalar("learning_rate", self.run.optimizer.param_groups[0]["lr"], step)
        if step % MEASURE_EVERY == 0:
            self.measure()

    @torch.no_grad()
    def measure(self) -> None:
        """Errors of the averaged network on all held-out photos, and a picture of the first ones."""
        errors: dict[str, list[float]] = {name: [] for name in MEASURES}
        for number, wide in enumerate(batches_in_order(self.held_out, _BATCH)):
            crops = plain_crops(wide.to(self.run.team.device))
            vectors = self.run.average(regressor_input(crops, self.crop_size))
            faces = self.drawer(vectors[:, :COEFFICIENT_COUNT])
            dense = vectors[:, COEFFICIENT_COUNT:].unflatten(1, (-1, 3))[:, :68, :2]
            images, compared = crops.images.to(self.drawer.device), crops.attention.to(self.drawer.device) * faces.skin
            for k, reference in enumerate(crops.landmarks):
                one = slice(k, k + 1)
                errors["photometric"].append(float(photometric(faces.pictures[one], images[one], compared[one])))
                of_mesh = _errors(faces.landmarks[k], reference)
                errors["nme51"].append(of_mesh[INNER].mean())
                errors["nme68"].append(of_mesh.mean())
                if dense.shape[1]:
                    errors["dense_nme51"].append(_errors(dense[k], reference)[INNER].mean())
            if number == 0:
                self.writer.add_image("held_out", _picture(images, faces, compared), self.run.step)
        self._write({name: sum(values) / len(values) for name, values in errors.items() if values})

    def _write(self, means: dict[str, float]) -> None:
        """Add a row to held_out.csv, and points to the curves."""
        if not means:
            return
        for name, value in means.items():
            self.writer.add_scalar(f"held_out/{name}", value, self.run.step)
        path = self.run.folder / "held_out.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=["step", *MEASURES], restval="nan")
            if new:
                writer.writeheader()
            writer.writerow({"step": str(self.run.step)} | {name: f"{value:.4f}" for name, value in means.items()})


def _errors(points: Tensor, reference: Tensor) -> np.ndarray:
    """(68,) percent of the face box."""
    return landmark_errors(points.cpu().numpy(), reference.cpu().numpy())


def _picture(photos: Tensor, faces: DrawnFaces, compared: Tensor) -> Tensor:
    """(3, H, W) in [0, 1]: from top to bottom the first photos, the faces over them, and the skin that counts."""
    drawn = (
        faces.pictures + (1 - faces.coverage[:, None]) * photos
    )  # pictures are black, with coverage, beside the face
    rows = [torch.cat(list(row[:_SHOWN]), dim=2) for row in (photos, drawn, compared[:, None].expand_as(photos))]
    return torch.cat(rows, dim=1).clamp(0, 1)
