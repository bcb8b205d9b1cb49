"""The three-stage face cascade MTCNN (Zhang et al., 2016) on the networks that facenet-pytorch carries (MIT licence).

Positions are continuous here: the top-left pixel reaches from 0 to 1. Crops are sampled where the boxes are, to
fractions of a pixel, and are black beyond the image as in training; facenet-pytorch's own loop rounds boxes, cuts
them at the border without telling the landmarks, and is two pixels off in places.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

_PNET_STRIDE, _PNET_WINDOW, _RNET_SIZE, _ONET_SIZE = 2, 12, 24, 48  # pixels
_PYRAMID_STEP = 2**-0.5


class Faces(NamedTuple):
    """What the cascade sees in one image."""

    boxes: np.ndarray  # (N, 4) left, top, right, bottom
    scores: np.ndarray  # (N,) probabilities
    landmarks: np.ndarray  # (N, 5, 2) eyes, nose tip, mouth corners; the image's left before right


class Cascade:
    """P-Net proposes, R-Net refines, O-Net decides and places five landmarks."""

    def __init__(self) -> None:
        with warnings.catch_warnings():  # facenet-pytorch changes the process's warning filters when imported
            import torch
            import torchvision.ops
            from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._torch, self._ops = torch, torchvision.ops
        self._pnet, self._rnet, self._onet = PNet().eval(), RNet().eval(), ONet().eval()

    def __call__(self, image: np.ndarray, smallest_face: float, thresholds: tuple[float, float, float]) -> Faces:
        """Faces of at least `smallest_face` pixels in an (H, W, 3) uint8 image, the best first."""
        with self._torch.inference_mode():
            tensor = self._tensor(image)
            boxes = self._propose(tensor, smallest_face, thresholds[0])
            boxes = self._refine(tensor, boxes, thresholds[1])
            return self._decide(tensor, boxes, thresholds[2])

    def read(self, image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """O-Net's scores (N,) and landmarks (N, 5, 2) in (N, 4) square boxes, each also read mirrored and averaged."""
        with self._torch.inference_mode():
            squares = self._torch.as_tensor(boxes, dtype=self._torch.float32)
            crops = self._crops(self._tensor(image), squares, _ONET_SIZE)
            _, output, probability = self._onet(self._torch.cat([crops, crops.flip(3)]))
            points, mirrored = self._points(output).chunk(2)
            mirrored = mirrored[:, [1, 0, 2, 4, 3]] * points.new_tensor([-1, 1]) + points.new_tensor([1, 0])
            scores = probability[:, 1].reshape(2, -1).mean(0)
            return scores.numpy(), _inside(squares, (points + mirrored) / 2).numpy()

    def _tensor(self, image):
        return self._torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()

    def _crops(self, image, boxes, size: int):
        """(N, 3, size, size) network inputs."""
        return _normalised(self._ops.roi_align(image, [boxes], size, aligned=True))

    @staticmethod
    def _points(output):
        """O-Net's ten numbers as (N, 5, 2) positions in the unit square of the crop."""
        return output.reshape(-1, 2, 5).transpose(1, 2)

    def _propose(self, image, smallest_face: float, threshold: float):
        torch, height, width = self._torch, image.shape[2], image.shape[3]
        scale = _PNET_WINDOW / smallest_face
        boxes, scores = [torch.zeros(0, 4)], [torch.zeros(0)]
        while min(height, width) * scale >= _PNET_WINDOW:
            size = round(height * scale), round(width * scale)
            small = torch.nn.functional.interpolate(image, size, mode="area")
            offsets, probability = self._pnet(_normalised(small))
            row, column = torch.nonzero(probability[0, 1] >= threshold, as_tuple=True)
            corner = torch.stack([column, row], 1) * float(_PNET_STRIDE)
            pixel = torch.tensor([width / size[1], height / size[0]])
            found = torch.cat([corner * pixel, (corner + _PNET_WINDOW) * pixel], 1)
            score = probability[0, 1, row, column]
            keep = self._ops.nms(found, score, 0.5)
            boxes.append(_moved(found, offsets[0, :, row, column].T)[keep])
            scores.append(score[keep])
            scale *= _PYRAMID_STEP
        found, score = torch.cat(boxes), torch.cat(scores)
        return _squared(found[self._ops.nms(found, score, 0.7)])

    def _refine(self, image, boxes, threshold: float):
        if not len(boxes):
            return boxes
        offsets, probability = self._rnet(self._crops(image, boxes, _RNET_SIZE))
        keep = probability[:, 1] > threshold
        boxes, offsets, score = boxes[keep], offsets[keep], probability[keep, 1]
        keep = self._ops.nms(boxes, score, 0.7)
        return _squared(_moved(boxes[keep], offsets[keep]))

    def _decide(self, image, boxes, threshold: float) -> Faces:
        if not len(boxes):
            return Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
        offsets, points, probability = self._onet(self._crops(image, boxes, _ONET_SIZE))
        keep = probability[:, 1] > threshold
        boxes, offsets, points, score = boxes[keep], offsets[keep], points[keep], probability[keep, 1]
        landmarks = _inside(boxes, self._points(points))
        boxes = _moved(boxes, offsets)
        keep = not_covered(boxes.numpy(), score.numpy(), 0.7)
        return Faces(boxes.numpy()[keep], score.numpy()[keep], landmarks.numpy()[keep])


def _normalised(pixels):
    return (pixels - 127.5) / 128


def _moved(boxes, offsets):
    """Boxes with each edge moved by a fraction of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * size.repeat(1, 2)


def _squared(boxes):
    """The squares round the boxes."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return (center.repeat(1, 2)) + half * half.new_tensor([-1, -1, 1, 1])


def _inside(boxes, points):
    """Positions (N, 5, 2) in the unit squares of the boxes as positions in the image."""
    return boxes[:, None, :2] + points * (boxes[:, None, 2:] - boxes[:, None, :2])


def not_covered(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> list[int]:
    """Numbers of the boxes, best first, without those that share most of the smaller area with a better one."""
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    for number in np.argsort(-scores, kind="stable"):
        low = np.maximum(boxes[number, :2], boxes[kept, :2])
        high = np.minimum(boxes[number, 2:], boxes[kept, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        if not (shared > overlap * np.minimum(area[number], area[kept])).any():
            kept.append(int(number))
    return kept
