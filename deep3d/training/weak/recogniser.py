"""A face recogniser that compares two faces: the identity-perceptual loss (Deng et al., 2019, eq. 5).

None is shipped. The file is one of

- facenet-pytorch's InceptionResnetV1 as a state dict (`20180402-114759-vggface2.pt`),
- ArcFace as an ONNX file, such as insightface's `w600k_r50.onnx`, run by onnx_network.py, since ONNX Runtime computes
  no gradients,
- any other network as TorchScript, with ArcFace's input.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn
from torch.nn import functional

from deep3d.errors import CheckpointInvalid, CheckpointMissing, RuntimeUnavailable
from deep3d.landmarks import five_points

ARCFACE_SIZE = 112  # pixels a side
FACENET_SIZE = 160
ARCFACE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""ArcFace's places of eyes, nose tip and mouth corners, in pixels of 112 (Deng et al., 2019, insightface)."""


class Recogniser:
    """A frozen network from faces (B, 3, S, S), RGB in [-1, 1] and aligned as for ArcFace, to features."""

    def __init__(self, network: nn.Module, size: int) -> None:
        self._network, self._size = network.eval(), size
        for parameter in network.parameters():
            parameter.requires_grad_(False)

    @classmethod
    def read(cls, path: str | Path, device: torch.device) -> Recogniser:
        """The recogniser of a file.

        Raises: CheckpointMissing, CheckpointInvalid; RuntimeUnavailable if the package onnx is needed and missing.
        """
        path = Path(path)
        if not path.is_file():
            raise CheckpointMissing(f"{path}: no face recogniser there; set `recogniser` to its file")
        if path.suffix == ".onnx":
            try:
                from deep3d.training.weak.onnx_network import read_onnx_network
            except ImportError as error:
                raise RuntimeUnavailable(f"{path}: needs the package onnx; pip install onnx") from error
            return cls(read_onnx_network(path).to(device), ARCFACE_SIZE)
        try:
            return cls(torch.jit.load(path, map_location=device), ARCFACE_SIZE)
        except RuntimeError:  # no TorchScript
            return cls(_read_facenet(path).to(device), FACENET_SIZE)

    def distance(self, photos: Tensor, landmarks: Tensor, pictures: Tensor, points: Tensor) -> Tensor:
        """Mean of 1 - cosine between the features of photos and pictures (B, 3, H, W) in [0, 1].

        Each is aligned by its own 68 landmarks (B, 68, 2); gradients go only to the pictures.
        """
        with torch.no_grad():
            known = self._features(photos, landmarks)
        return 1 - functional.cosine_similarity(self._features(pictures, points.detach()), known).mean()

    def _features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        template = images.new_tensor(ARCFACE_POINTS)
        template = (template + 0.5) * (self._size / ARCFACE_SIZE) - 0.5
        place = similarity(five_points(landmarks), template.expand(len(images), -1, -1))
        faces = warp_affine(images, place, (self._size, self._size), align_corners=True)
        return self._network(2 * faces - 1)


def similarity(points: Tensor, targets: Tensor) -> Tensor:
    """The least-squares similarity maps (B, 2, 3) from points (B, N, 2) to targets (B, N, 2).

    As complex numbers z and w the points obey w = a z + b, which is linear in a and b.
    """
    z, w = (torch.view_as_complex(p.contiguous()) for p in (points, targets))
    z_mean, w_mean = z.mean(dim=1, keepdim=True), w.mean(dim=1, keepdim=True)
    a = ((z - z_mean).conj() * (w - w_mean)).sum(dim=1) / (z - z_mean).abs().square().sum(dim=1)
    b = w_mean[:, 0] - a * z_mean[:, 0]
    return torch.stack(
        [torch.stack([a.real, -a.imag, b.real], dim=-1), torch.stack([a.imag, a.real, b.imag], dim=-1)], dim=-2
    )


def _read_facenet(path: Path) -> nn.Module:
    """InceptionResnetV1 of a state dict; without the layer for the people it was trained on."""
    from facenet_pytorch import InceptionResnetV1

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = InceptionResnetV1()
        network.load_state_dict({name: value for name, value in state.items() if not name.startswith("logits.")})
    except (OSError, EOFError, RuntimeError, ValueError, AttributeError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointInvalid(
            f"{path}: neither TorchScript, nor ONNX, nor a state dict of InceptionResnetV1 ({reason}); give one"
        ) from error
    return network
