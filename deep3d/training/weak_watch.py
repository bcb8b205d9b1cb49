"""What one sees of a weakly supervised run: errors on photos held out, curves and pictures in TensorBoard."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.evaluation.landmarks import landmark_errors
from deep3d.landmarks import INNER
from deep3d.training.augmentation import FaceCrops, network_input, plain_crops
from deep3d.training.drawn_faces import DrawnFaces, FaceDrawer
from deep3d.training.loop import Watch
from deep3d.training.run import Run
from deep3d.training.wide_crops import WideCropSet, batches_in_order

MEASURE_EVERY = 100  # steps, a multiple of loop.LOG_EVERY
MEASURES = ("nme51", "nme68", "dense_nme51")
_BATCH = 16
_SHOWN = 4  # faces of a picture


@contextmanager
def watching(run: Run, drawer: FaceDrawer, held_out: WideCropSet, crop_size: int) -> Iterator[Watch | None]:
    """Somebody for the loop to tell, in the process that leads; the photos are measured on at the start too."""
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
        """Errors of the averaged network on all photos held out, and a picture of the first ones."""
        errors: dict[str, list[float]] = {name: [] for name in MEASURES}
        for number, wide in enumerate(batches_in_order(self.held_out, _BATCH)):
            crops = plain_crops(wide.to(self.run.team.device))
            vectors = self.run.average(network_input(crops, self.crop_size))
            points = self.drawer.landmarks(vectors[:, :COEFFICIENT_COUNT])
            dense = vectors[:, COEFFICIENT_COUNT:].unflatten(1, (-1, 3))[:, :68, :2]
            for reference, mesh, seen in zip(crops.landmarks, points, dense):
                of_mesh = _errors(mesh, reference)
                errors["nme51"].append(of_mesh[INNER].mean())
                errors["nme68"].append(of_mesh.mean())
                if len(seen):
                    errors["dense_nme51"].append(_errors(seen, reference)[INNER].mean())
            if number == 0:
                faces = self.drawer(vectors[:_SHOWN, :COEFFICIENT_COUNT])
                self.writer.add_image("held_out", _picture(crops, faces), self.run.step)
        self._write({name: sum(values) / len(values) for name, values in errors.items() if values})

    def _write(self, means: dict[str, float]) -> None:
        """Add a row to held_out.csv, in percent of the face box, and points to the curves."""
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


def _errors(points: Tensor, reference: Tensor):
    """(68,) percent of the face box."""
    return landmark_errors(points.cpu().numpy(), reference.cpu().numpy())


def _picture(crops: FaceCrops, faces: DrawnFaces) -> Tensor:
    """(3, H, W) in [0, 1]: below each other some photos, the faces laid over them, and the skin that is compared."""
    device = faces.pictures.device
    photos, attention = (part[: len(faces.pictures)].to(device) for part in (crops.images, crops.attention))
    coverage = faces.coverage[:, None]
    drawn = faces.pictures + (1 - coverage) * photos  # pictures are black, with coverage, beside the face
    compared = (attention * faces.skin)[:, None].expand_as(photos)
    rows = [torch.cat(list(row), dim=2) for row in (photos, drawn, compared)]
    return torch.cat(rows, dim=1).clamp(0, 1)
