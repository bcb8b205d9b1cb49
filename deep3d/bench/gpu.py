"""Throughput of a GPU: faces from crops, and synthetic heads for training."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from deep3d.bench.figures import Figure, Section, figure
from deep3d.bench.timing import WARM_UP
from deep3d.camera import place
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.errors import RuntimeUnavailable
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.rendering.gpu import gpu_rasterizer
from deep3d.runtime.eager import PreparedNetwork
from deep3d.synthetic.device.heads import DeviceHeadGenerator

FACES = 512  # in a batch
HEADS = 512
CALLS = 8  # batches in a row, queued before earlier ones have finished


def gpu_section(checkpoint: Checkpoint, face_model: FaceModel, rounds: int) -> Section:
    """Faces and heads per second.

    Raises: RuntimeUnavailable if torch finds no GPU.
    """
    if not torch.cuda.is_available():
        raise RuntimeUnavailable("torch finds no GPU")
    device = torch.device("cuda")
    title = f"GPU, {torch.cuda.get_device_name(device)}"
    figures = [
        _each_second(
            f"network and vertices, bf16, {FACES} crops", FACES, _faces(checkpoint, face_model, device), rounds
        )
    ]
    rasterizer = gpu_rasterizer(device)
    if rasterizer is not None:
        generator = DeviceHeadGenerator(face_model, 0, checkpoint.dense_vertices, rasterizer, device)
        name = f"synthetic heads, {type(rasterizer).__name__}, {HEADS} at a time"
        figures.append(_each_second(name, HEADS, lambda: generator.draw(HEADS), rounds))
    return Section(title, tuple(figures))


def _faces(checkpoint: Checkpoint, face_model: FaceModel, device: torch.device) -> Callable[[], object]:
    """From crops in main memory, as bytes, to vertices on the GPU."""
    network = PreparedNetwork(checkpoint, "bf16").to(device).eval()
    model = face_model.to_torch(device)
    side = checkpoint.info.crop_size
    crops = torch.randint(0, 256, (FACES, 3, side, side), dtype=torch.uint8).pin_memory()

    def reconstruct() -> torch.Tensor:
        with torch.inference_mode():
            vectors = network(crops.to(device, non_blocking=True).float() / 255)
            face = FaceCoefficients.from_vector(vectors[:, :COEFFICIENT_COUNT])
            return place(model.shape(face), face.rotation, face.translation)

    return reconstruct


def _each_second(name: str, count: int, action: Callable[[], object], rounds: int) -> Figure:
    """Throughput of a function that processes `count` items per call."""
    rates = []
    for _ in range(WARM_UP + rounds):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(CALLS):
            action()
        torch.cuda.synchronize()
        rates.append(CALLS * count / (time.perf_counter() - start))
    return figure(name, rates[WARM_UP:], "per second")
