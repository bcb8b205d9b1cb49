"""The detector's networks against those of the package that their weights come from."""

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from deep3d.detection.networks import MtcnnNetworks


@pytest.fixture(scope="module")
def networks() -> MtcnnNetworks:
    return MtcnnNetworks()


def _expected(network: torch.nn.Module, pixels: np.ndarray) -> list[np.ndarray]:
    with torch.inference_mode():
        return [output.numpy() for output in network((torch.from_numpy(pixels.astype(np.float32)) - 127.5) / 128)]


def test_proposals_for_images_of_any_size(networks):
    for height, width in ((61, 74), (12, 13), (40, 12), (95, 60)):
        images = np.random.default_rng(height).integers(0, 256, (2, height, width, 3), np.uint8)
        offsets, probability = _expected(PNet(), images.transpose(0, 3, 1, 2))
        proposals = networks.pnet(images)
        np.testing.assert_allclose(proposals.offsets, offsets, atol=1e-5)
        np.testing.assert_allclose(proposals.scores, probability[:, 1], atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 130])  # none, one, more than fit into one batch
def test_refinement_and_landmarks(networks, count):
    rng = np.random.default_rng(count)
    small, large = (rng.uniform(0, 255, (count, 3, size, size)).astype(np.float32) for size in (24, 48))
    offsets, scores = networks.rnet(small)
    assert (offsets.shape, scores.shape) == ((count, 4), (count,))
    edges, points, probability = networks.onet(large)
    assert (edges.shape, points.shape, probability.shape) == ((count, 4), (count, 5, 2), (count,))
    if count:
        expected, certain = _expected(RNet(), small)
        np.testing.assert_allclose(offsets, expected, atol=1e-5)
        np.testing.assert_allclose(scores, certain[:, 1], atol=1e-5)
        expected, ten, certain = _expected(ONet(), large)
        np.testing.assert_allclose(edges, expected, atol=1e-5)
        np.testing.assert_allclose(points, ten.reshape(-1, 2, 5).transpose(0, 2, 1), atol=1e-5)
        np.testing.assert_allclose(probability, certain[:, 1], atol=1e-5)
