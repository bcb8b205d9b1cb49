from __future__ import annotations

from deep3d import default_face_model
from deep3d.export.gltf.morph_targets import morph_targets
from serving.pages.expressions import GROUPS


def test_every_morph_target_has_one_slider() -> None:
    sliders = [target for _, movements in GROUPS for movement in movements for target, _ in movement.sliders]

    assert sorted(sliders) == sorted(target.name for target in morph_targets(default_face_model()))
