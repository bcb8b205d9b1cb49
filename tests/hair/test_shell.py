# pyright: reportOptionalMemberAccess=false
import numpy as np

from deep3d.camera import Pose
from deep3d.hair.evidence import Evidence
from deep3d.hair.fit import fit_fields
from deep3d.hair.shell import beneath, heights, shell_mesh


def test_the_shell_is_closed_and_turned_outward(short, varied):
    for head in (short, *varied):
        mesh = shell_mesh(head.fields, head.head(), head.hair.ears)
        edges = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]])
        keys = edges[:, 0].astype(np.int64) * len(mesh.vertices) + edges[:, 1]
        twins = edges[:, 1].astype(np.int64) * len(mesh.vertices) + edges[:, 0]
        distinct, counts = np.unique(keys, return_counts=True)
        assert np.isin(twins, distinct).all() and (counts == counts.max()).mean() > 0.99
        a, b, c = (mesh.vertices[mesh.triangles[:, corner]] for corner in range(3))
        assert (a * np.cross(b, c)).sum() / 6 > 0.05  # cubic decimetres: the volume is positive


def test_the_outer_side_lies_outside_of_the_head(varied, cover):
    for head in varied:
        fields = fit_fields([Evidence.of(head.mask, head.head())], head.hair)
        assert heights(fields, head.hair.ears).min() > 0
        mesh = shell_mesh(fields, head.head(), head.hair.ears)
        for yaw in (90, 180, -90):
            over = cover(mesh.vertices, mesh.triangles, Pose(yaw, 0, 0))
            face = cover(head.vertices, head.model.triangles, Pose(yaw, 0, 0))
            both = np.isfinite(over) & np.isfinite(face)
            assert (over[both] < face[both]).mean() > 0.8


def test_uvs_lie_in_the_picture(varied):
    for head in varied:
        mesh = shell_mesh(head.fields, head.head(), head.hair.ears)
        assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
        assert mesh.triangles.max() < len(mesh.vertices) == len(mesh.uv)


def test_the_inner_side_has_no_steps_that_the_outer_one_has_not():
    """Steps of whole triangles were seen beside cheeks."""
    outer = np.linspace(0.01, 1, 400)
    inner = beneath(outer)
    assert (inner < outer).all() and np.diff(inner).max() <= np.diff(outer).max() + 1e-9
