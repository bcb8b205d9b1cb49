"""The Triton rasteriser against the numba one: in Triton's interpreter here, on the GPU itself where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from deep3d.camera import clip_space, depth, place, project
from deep3d.face_model import default_face_model
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.interface import Fragments

pytest.importorskip("triton", reason="Triton comes with torch's CUDA wheels for Linux")

REPOSITORY = Path(__file__).parents[2]
INTERPRETED = """
import sys, numpy as np, torch
from deep3d.rendering import triton as triton_rasterizer
scenes = np.load(sys.argv[1])
drawn = {}
for name in sorted({key.split(".")[0] for key in scenes}):
    clip, triangles = (torch.from_numpy(scenes[f"{name}.{part}"]) for part in ("clip", "triangles"))
    triton_rasterizer.BLOCK = 2 ** (len(triangles) - 1).bit_length()  # one program: each costs the interpreter time
    size = tuple(int(side) for side in scenes[f"{name}.size"])
    fragments = triton_rasterizer.TritonRasterizer().rasterize(clip, triangles, size)
    for part in ("triangle", "weights", "depth"):
        drawn[f"{name}.{part}"] = getattr(fragments, part).numpy()
np.savez(sys.argv[2], **drawn)
"""
COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from deep3d.rendering import triton as module
types = dict.fromkeys(("columns", "rows", "triangles"), "*i32") | {"depths": "*fp32", "zbuffer": "*i64"}
types |= dict.fromkeys(("vertices", "count", "height", "width"), "i32")
constants = {"BITS": module.GRID_BITS, "BLOCK": module.BLOCK, "STRIPES": module.STRIPES}
source = ASTSource(fn=module._draw, signature=types | dict.fromkeys(constants, "constexpr"), constexprs=constants)
kernel = triton.compile(source, target=GPUTarget("cuda", 90, 32))
print("min.s64" in kernel.asm["ptx"] and len(kernel.asm["cubin"]) > 0)
"""
Scene = tuple[np.ndarray, np.ndarray, tuple[int, int]]


def random_mesh(seed: int) -> Scene:
    """Two pictures of 12 triangles that hide each other, of all sizes and both windings, some partly outside."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.5, 3, (2, 20, 1))
    clip = np.concatenate([rng.uniform(-1.3, 1.3, (2, 20, 2)), rng.uniform(-1.2, 1.2, (2, 20, 1))], axis=2)
    triangles = np.stack([rng.permutation(20)[:3] for _ in range(12)])
    return np.concatenate([clip * w, w], axis=2).astype(np.float32), triangles.astype(np.int32), (13, 19)


def shared_edges() -> Scene:
    """A flat grid of squares whose corners and edges run through pixel centres."""
    rng = np.random.default_rng(5)
    row, column = np.divmod(np.arange(25), 5)
    places = np.stack([column * 4.0, row * 4.0], axis=1)
    inner = (row % 4 > 0) & (column % 4 > 0)
    places[inner] += rng.integers(-2, 3, (inner.sum(), 2)) / 2
    corner = np.arange(25).reshape(5, 5)
    a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    clip = clip_space(places[None], np.full((1, 25), 5.0), (20, 20))
    return clip.astype(np.float32), triangles, (20, 20)


def odd_triangles() -> Scene:
    """Behind the camera, not a number, flat, far outside, at the same depth as another, and before the near plane."""
    usual = [[-1, -1, 0.5, 1], [0.9, -1, 0.5, 1], [-1, 0.9, 0.5, 1]]
    odd = [[0, 0, 0, -1], [0, 0, 0, 0], [np.nan, 0, 0, 1], [np.inf, 0, 0, 1], [1e38, 1e38, 0, 1e-30], [0, 0, -9, 1]]
    clip = np.array([usual + odd], np.float32)
    bad = [[0, 1, corner] for corner in range(3, 9)]
    triangles = np.array([*bad, [0, 1, 1], [0, 0, 0], [0, 1, 2], [0, 1, 2]], np.int32)
    return clip, triangles, (9, 8)


def head() -> Scene:
    """The mean head, turned half aside, on a picture of a few pixels."""
    model = default_face_model()
    placed = place(model.mean_shape[None], np.array([[0.1, 0.6, 0.2]], np.float32), np.zeros((1, 3), np.float32))
    pixels = (project(placed) + 0.5) * (24 / 224) - 0.5
    return clip_space(pixels, depth(placed), (24, 24)).astype(np.float32), model.triangles, (24, 24)


SCENES = {
    "random0": random_mesh(0),
    "random1": random_mesh(1),
    "shared_edges": shared_edges(),
    "odd": odd_triangles(),
    "head": head(),
}


def run_python(code: str, *arguments: object, **variables: str) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fragments]:
    """All scenes, drawn in a process of their own: the interpreter is chosen when Triton is imported."""
    folder = tmp_path_factory.mktemp("scenes")
    parts = ("clip", "triangles", "size")
    arrays = {f"{name}.{part}": np.array(v) for name, scene in SCENES.items() for part, v in zip(parts, scene)}
    np.savez(folder / "scenes.npz", **arrays)  # pyright: ignore[reportArgumentType]
    run_python(INTERPRETED, folder / "scenes.npz", folder / "drawn.npz", TRITON_INTERPRET="1")
    with np.load(folder / "drawn.npz") as drawn:
        return {name: Fragments(*(drawn[f"{name}.{p}"] for p in ("triangle", "weights", "depth"))) for name in SCENES}


def assert_same_fragments(found: Fragments, expected: Fragments) -> None:
    seen = expected.triangle >= 0
    assert seen.any() and not seen.all()
    np.testing.assert_array_equal(found.triangle, expected.triangle)
    np.testing.assert_array_equal(np.isinf(found.depth), ~seen)
    np.testing.assert_allclose(found.depth[seen], expected.depth[seen], atol=1e-6)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-3)


@pytest.mark.parametrize("name", SCENES)
def test_fragments_are_those_of_the_numba_rasterizer(interpreted, name):
    assert_same_fragments(interpreted[name], CpuRasterizer().rasterize(*SCENES[name]))


def test_the_kernel_compiles_for_a_gpu_of_today():
    assert run_python(COMPILED).strip() == "True"


@pytest.fixture(scope="module")
def rasterizer():
    """Of a process without the interpreter: everything but the kernel itself runs anywhere."""
    from deep3d.rendering.triton import TritonRasterizer

    return TritonRasterizer()


def test_weights_and_interpolation_have_the_gradients_of_the_numba_rasterizer(rasterizer):
    from deep3d.rendering.triton import _weights

    clip, triangles, size = (torch.as_tensor(part) for part in SCENES["random0"])
    values = torch.rand(2, 20, 5, generator=torch.Generator().manual_seed(0))
    wanted = torch.rand(2, *size.tolist(), 5, generator=torch.Generator().manual_seed(1))
    gradients = []
    for ours in (True, False):
        corners, attributes = clip.clone().requires_grad_(), values.clone().requires_grad_()
        fragments = CpuRasterizer().rasterize(corners, triangles, tuple(size.tolist()))
        if ours:
            fragments = Fragments(fragments.triangle, _weights(corners, triangles, fragments.triangle), fragments.depth)
        backend = rasterizer if ours else CpuRasterizer()
        (backend.interpolate(attributes, fragments, triangles) * wanted).sum().backward()
        gradients.append((corners.grad, attributes.grad))
    for found, expected in zip(*gradients):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", SCENES)
def test_a_gpu_draws_the_same(rasterizer, name):
    clip, triangles, size = SCENES[name]
    fragments = rasterizer.rasterize(torch.from_numpy(clip).cuda(), torch.from_numpy(triangles).cuda(), size)
    found = Fragments(fragments.triangle.cpu().numpy(), fragments.weights.cpu().numpy(), fragments.depth.cpu().numpy())
    assert_same_fragments(found, CpuRasterizer().rasterize(clip, triangles, size))
