import numpy as np

from deep3d.evaluation.materials import MaterialFigures
from deep3d.face_model import default_face_model
from deep3d.synthetic.lit_heads import LitHeadGenerator


def test_made_up_heads_are_lit_from_the_side_of_their_lamp():
    generator = LitHeadGenerator(default_face_model(), 1)
    head, light = generator.draw(60), generator.light(0.5)
    lamp = type(light)(np.array([[1.0, 0, 0.2]], np.float32), np.ones((1, 3), np.float32))
    picture, mask = generator.render(head, lamp)
    middle = int(np.median(np.flatnonzero(mask.any(axis=0))))
    assert picture[:, middle:].sum() > 2 * picture[:, :middle].sum()
    assert mask.mean() > 0.1


def test_made_up_skin_is_as_light_as_asked_for():
    generator = LitHeadGenerator(default_face_model(), 1)
    fair, dark = (np.median(generator.draw(value).maps.albedo) for value in (72, 30))
    assert fair > 2 * dark


def test_the_table_tells_the_ratio_of_the_groups():
    figures = MaterialFigures(2, 0.1, 0.4, {"fair": 0.1, "dark": 0.2}, {"fair": 1.0, "dark": 1.5}, 4.2, 0.6, 0.5)
    table = figures.to_markdown()
    assert "| worst group over best | 2.00 |" in table
    assert "| albedo error over the unwrapped photo's | 0.25 |" in table
