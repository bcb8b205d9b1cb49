"""The generator for GPUs, which draws on the processor here, against the one for processors."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.gpu import gpu_rasterizer
from deep3d.synthetic.device.heads import DeviceHeadGenerator, _area_normals
from deep3d.synthetic.device.painting import Painter
from deep3d.synthetic.heads import HeadGenerator, Heads
from deep3d.synthetic.layers import flat_things
from deep3d.synthetic.painting import normals_into
from deep3d.synthetic.scenes import Director, Scenes, each_array
from deep3d.synthetic.things import CORNERS, Things
from deep3d.training.device_stream import DeviceHeadStream
from tests.training.conftest import CONFIG, STAGE

CPU = torch.device("cpu")
DENSE = (5, 1, 4000)


@pytest.fixture(scope="module")
def generator(model) -> DeviceHeadGenerator:
    return DeviceHeadGenerator(model, 3, DENSE, CpuRasterizer(), CPU)


@pytest.fixture(scope="module")
def scenes(model) -> Scenes:
    lowest = int(np.argmin(model.mean_shape[:, 1]))
    return Director(model, lowest, 6).random_scenes(np.random.default_rng(4), 6)


def test_photos_and_labels_are_those_of_the_generator_for_processors(model, generator, scenes):
    heads, expected = generator.photograph(scenes), HeadGenerator(model, 3, DENSE).photograph(scenes)
    np.testing.assert_allclose(heads.vectors.numpy(), expected.vectors, atol=1e-4)
    np.testing.assert_allclose(heads.points.numpy(), expected.points, atol=1e-3)
    assert heads.crops.shape == expected.crops.shape and heads.crops.dtype == torch.uint8
    difference = np.abs(heads.crops.numpy().astype(float) - expected.crops).mean(axis=(1, 2, 3))
    assert difference.max() < 2.5  # grey values; compression and Pillow's Gaussians differ a little


def test_the_few_points_that_cameras_are_aimed_by_are_those_of_the_whole_head(model):
    lowest = int(np.argmin(model.mean_shape[:, 1]))
    director = Director(model, lowest, 6)
    people = director.random_scenes(np.random.default_rng(4), 3).people
    vertices = model.neutral_shape(people.identity) + model.expression_offsets(people.expression)
    points = director._points(people)
    np.testing.assert_allclose(points[:, :68], model.landmarks(vertices), atol=1e-5)
    np.testing.assert_allclose(points[:, 68], vertices[:, lowest], atol=1e-5)


def test_the_same_seed_draws_the_same_heads(model):
    heads = [DeviceHeadGenerator(model, seed, (), CpuRasterizer(), CPU).draw(2) for seed in (7, 7, 8)]
    torch.testing.assert_close(heads[0].crops, heads[1].crops, rtol=0, atol=1)
    torch.testing.assert_close(heads[0].vectors, heads[1].vectors)
    assert (heads[0].crops != heads[2].crops).float().mean() > 0.5


def test_what_is_not_there_is_not_drawn_and_what_is_before_a_face_hides_it(generator, scenes):
    bald = replace(scenes, hair=replace(scenes.hair, worn=np.zeros(6, bool)))
    worn = replace(scenes, hair=replace(scenes.hair, worn=np.ones(6, bool)))
    differs = (generator.photograph(bald).crops != generator.photograph(worn).crops).any(dim=-1).flatten(1)
    assert differs.float().mean() > 0.03
    square = np.array([[-50, -50], [300, -50], [300, 300], [-50, 300]] + [[-50, 300]] * 8, float)
    wall = Things(
        np.tile(square, (6, 2, 1, 1)).astype(np.float32),
        np.full((6, 2, 3), 0.5, np.float32),
        np.zeros((6, 2, 2), np.float32),
    )
    heads = [generator.photograph(replace(one, occluders=wall)).crops.float() for one in (bald, worn)]
    assert (heads[0] - heads[1]).abs().max() <= 1


def test_flat_things_cover_the_pixels_of_their_polygons():
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    star = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(40, 90, (CORNERS, 1)) + [110.3, 95.7]
    things = Things(
        star[None, None].astype(np.float32), np.full((1, 1, 3), 0.75, np.float32), np.zeros((1, 1, 2), np.float32)
    )
    surfaces = flat_things(each_array(things, torch.from_numpy), 5.0)
    painter = Painter(CpuRasterizer(), torch.zeros(1, 256, 256))
    found, depth = painter.opaque(torch.zeros(1, 224, 224, 3), surfaces, torch.zeros(1).long())
    expected = Image.new("L", (224, 224))
    ImageDraw.Draw(expected).polygon([tuple(corner) for corner in star], fill=1)
    expected = np.asarray(expected) * 0.75
    assert (expected > 0).mean() > 0.1
    assert (np.abs(found[0, ..., 0].numpy() - expected) > 0.01).mean() < 0.02  # Pillow's polygons have their border
    assert (depth.isfinite() == (found[..., 0] > 0)).all()


def test_vertex_normals_are_those_of_the_cpu_path(model):
    vertices = model.mean_shape[None] + np.random.default_rng(0).normal(0, 1e-3, (2, *model.mean_shape.shape))
    expected = np.empty_like(vertices)
    normals_into(vertices, model.triangles, expected)
    torch_model = model.to_torch()
    found = _area_normals(torch.from_numpy(vertices), torch_model.triangles, torch_model.adjacency).numpy()
    used = np.unique(model.triangles)
    np.testing.assert_allclose(found[:, used], expected[:, used], atol=1e-4)


class FakeGenerator(DeviceHeadGenerator):
    """Counts its heads instead of drawing them: everything of head n is n."""

    def __init__(self) -> None:
        self.device, self.dense_landmarks, self.drawn = CPU, 2, 0

    def draw(self, count):
        numbers = torch.arange(self.drawn, self.drawn + count)
        self.drawn += count
        crops = numbers[:, None, None, None].expand(-1, 224, 224, 3).to(torch.uint8)
        vectors, points = numbers[:, None].expand(-1, 257), numbers[:, None, None].expand(-1, 2, 2)
        return Heads(crops, vectors.float(), points.float())


def test_labels_belong_to_their_crops_while_the_ring_on_the_device_goes_round():
    generator = FakeGenerator()
    stage = replace(STAGE, batch_size=8, steps=2)
    config = replace(CONFIG, reuse=2.0)
    seen = set()
    with DeviceHeadStream(generator, config, stage, seed=7, chunk=4) as stream:
        for round_ in range(12):
            heads = stream.batch(8)
            assert heads.crops.shape == (8, 32, 32, 3) and heads.vectors.shape == (8, 257)
            for crop, vector, points in zip(heads.crops, heads.vectors, heads.points):
                number = int(vector[0])
                assert (crop == number).all() and (points == number).all()
                seen.add(number)
            assert 16 <= generator.drawn <= max(16, 8 * (round_ + 1) / 2 + 4)
    assert len(seen) > 30 and max(seen) > 40


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_takes_the_same_photos(model, generator, scenes):
    device = torch.device("cuda")
    rasterizer = gpu_rasterizer(device)
    assert rasterizer is not None
    heads = DeviceHeadGenerator(model, 3, DENSE, rasterizer, device).photograph(scenes)
    expected = generator.photograph(scenes)
    torch.testing.assert_close(heads.vectors.cpu(), expected.vectors, rtol=0, atol=2e-4)
    torch.testing.assert_close(heads.points.cpu(), expected.points, rtol=0, atol=2e-3)
    assert (heads.crops.cpu().float() - expected.crops.float()).abs().mean() < 1
