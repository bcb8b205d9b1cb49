"""The cascade's proposals, whose networks see all sizes of an image on one sheet."""

import numpy as np

from deep3d.mtcnn import pyramid_of, sheet_of


def test_the_images_of_a_sheet_do_not_touch():
    for height, width in ((224, 150), (90, 400), (37, 41)):
        images = np.full((2, height, width, 3), 200, np.uint8)
        levels = [level.images for level in pyramid_of(images, smallest_face=20)]
        sheet, corners = sheet_of(levels)
        covered = np.zeros(sheet.shape[1:3], int)
        for level, (top, left) in zip(levels, corners, strict=True):
            assert (top % 2, left % 2) == (0, 0)
            place = (slice(top, top + level.shape[1]), slice(left, left + level.shape[2]))
            np.testing.assert_array_equal(sheet[:, place[0], place[1]], level)
            covered[place] += 1
        assert covered.max() == 1
        assert (sheet[:, covered == 0] == 0).all()
