"""The scripts that make path-traced heads: what they photograph lies where the labels say, whatever is worn."""

import gzip
import importlib
from pathlib import Path

import numpy as np
import pytest

from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import irises
from deep3d.network.checkpoints import Checkpoint

SCRIPTS = Path(__file__).parents[2] / "checkpoints" / "path_traced"
SCALE, SHIFT = 0.9, np.array([0.1, 7.3, 0.9])  # from the model's space to MakeHuman's


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes them importable, as Python does for the script that it runs."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


def test_targets_are_carried_over_to_where_they_were(scripts, model: FaceModel, tmp_path):
    """The model's own head, smaller and elsewhere, plays MakeHuman's: then the displacements are known."""
    chin, mouth, nose = model.landmark_vertices[[8, 54, 30]]
    wanted = np.zeros_like(model.mean_shape)
    wanted[:, 2] = 0.1 * np.exp(-((np.linalg.norm(model.mean_shape - model.mean_shape[nose], axis=1) / 0.25) ** 2))
    _write_head(tmp_path, model)
    _write_target(tmp_path, "nose/nose-point-up", SCALE * wanted)
    _write_target(tmp_path, "chin/chin-prominent-incr", _peak(model, chin, 2))
    _write_target(
        tmp_path, "mouth/mouth-scale-horiz-incr", _peak(model, mouth, 0) - _peak(model, model.mirror[mouth], 0)
    )
    targets = importlib.import_module("head_targets").HeadTargets.of(model, tmp_path)

    carried = targets.left.reshape(3, -1, 3)[2] / SCALE  # chin, mouth, nose
    off = np.linalg.norm(carried - wanted, axis=1)[model.skin > 0.5]
    assert off.mean() < 0.005 and off.max() < 0.04 and targets.right.max() == 0  # of up to 0.1 decimetres
    drawn = targets.draw(np.random.default_rng(3), 40)
    assert drawn.shape == (40, *model.mean_shape.shape) and len(np.unique(drawn[:, nose, 2])) > 2


def test_an_empty_folder_is_named(scripts, model, tmp_path):
    with pytest.raises(OSError, match=r"base.obj"):
        importlib.import_module("head_targets").HeadTargets.of(model, tmp_path)


def test_pictures_show_heads_where_their_labels_are(scripts, model: FaceModel, checkpoint: Checkpoint, tmp_path):
    pytest.importorskip("bpy", reason="Blender's package is not installed")
    heads = importlib.import_module("heads")
    artist = heads.PathTracedHeads(model, checkpoint.dense_vertices, tmp_path / "picture.exr", 1, 1)
    pictures = []
    photograph = artist._studio.photograph

    def kept(*arguments):
        pictures.append(photograph(*arguments))
        return pictures[-1]

    artist._studio.photograph = kept
    drawn = artist.draw_traced(4, 2)
    assert drawn.crops.std() > 20 and drawn.visible.mean() > 0.3
    for (_, covered), points, visible in zip(pictures, drawn.points, drawn.visible, strict=True):
        column, row = np.round(points[visible]).astype(int).T
        assert (covered[row, column] > 0.5).mean() > 0.98
    again = heads.PathTracedHeads(model, checkpoint.dense_vertices, tmp_path / "picture.exr", 1, 1).draw_traced(4, 2)
    np.testing.assert_array_equal(again.points, drawn.points)


def _peak(model: FaceModel, vertex: int, axis: int) -> np.ndarray:
    """Displacements (V, 3) of one vertex along an axis."""
    moved = np.zeros_like(model.mean_shape)
    moved[vertex, axis] = 0.01
    return moved


def _write_head(folder: Path, model: FaceModel) -> None:
    """base.obj with the model as the body, its triangles as quadrilaterals, and the eyes' joints."""
    centre = [model.mean_shape[v] - [0, 0, 0.12] for v in irises(model)]
    points = np.concatenate([model.mean_shape, centre]) * SCALE + SHIFT
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in points]
    lines += ["g body", *(f"f {a + 1} {b + 1} {c + 1} {c + 1}" for a, b, c in model.triangles)]
    for number, side in enumerate("rl"):
        lines += [f"g joint-{side}-eye", "f " + " ".join([str(len(model.mean_shape) + number + 1)] * 4)]
    (folder / "3dobjs").mkdir()
    (folder / "3dobjs" / "base.obj").write_text("\n".join(lines), encoding="utf-8")


def _write_target(folder: Path, name: str, moved: np.ndarray) -> None:
    path = folder / "targets" / f"{name}.target.gz"
    path.parent.mkdir(parents=True)
    lines = [f"{v} {x:.5f} {y:.5f} {z:.5f}" for v, (x, y, z) in enumerate(moved) if np.abs(moved[v]).max() > 1e-5]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("# a comment\n" + "\n".join(lines))
