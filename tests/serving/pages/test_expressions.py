from __future__ import annotations

from flask.testing import FlaskClient

from deep3d import default_face_model
from deep3d.export.gltf.morph_targets import VISEMES, all_targets, morph_targets
from serving.pages.expressions import GROUPS


def test_every_morph_target_has_one_slider() -> None:
    sliders = [target for _, movements in GROUPS for movement in movements for target, _ in movement.sliders]

    assert sorted(sliders) == sorted(target.name for target in morph_targets(default_face_model()))


def test_as_many_are_promised_as_a_face_has(client: FlaskClient) -> None:
    names = {target.name for target in all_targets(default_face_model())}
    spoken = {name for name in names if name.startswith("viseme_")}

    assert len(spoken) == len(VISEMES)
    assert f"{len(names - spoken)} expressions and {len(spoken)} mouth shapes" in client.get("/").text
