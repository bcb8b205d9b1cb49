"""Hair is taken off and dyed on a face's page, and nothing but the hair changes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

HEAD, CROWN, FACE = (0.05, 0.8, 0.3), (0.11, 0.16, 0.08), (0.4, 0.6, 0.1)
"""Rows from and to, and columns to either side of the middle: parts of the height of a stage that shows a head."""
MOST = 4  # of 255, by which two pictures of one view differ at most
DYE = "#1030e0"


@pytest.fixture
def example(page: Page) -> Page:
    """The page of a face with dark hair."""
    page.goto("/examples/mira")
    page.wait_for_selector(".viewer.moving")
    return page


def test_hair_is_taken_off_and_put_back(example: Page) -> None:
    before = picture_of(example)
    example.get_by_role("switch", name="Show the hair").uncheck()
    bald = picture_of(example)
    assert (difference(part(bald, CROWN), part(before, CROWN)) > MOST).mean() > 0.8
    assert part(bald, CROWN).mean() > part(before, CROWN).mean() + 20  # skin is lighter than hair
    assert same(part(bald, FACE), part(before, FACE))

    example.get_by_role("switch", name="Show the hair").check()
    assert same(part(picture_of(example), HEAD), part(before, HEAD))


def test_hair_is_dyed_and_gets_its_own_colour_back(example: Page) -> None:
    before = picture_of(example)
    example.get_by_label("Colour", exact=True).fill(DYE)
    dyed = picture_of(example)
    assert np.argmax(part(before, CROWN).mean(axis=(0, 1))) == 0
    assert np.argmax(part(dyed, CROWN).mean(axis=(0, 1))) == 2
    assert same(part(dyed, FACE), part(before, FACE))

    example.get_by_role("button", name="Original colour").click()
    assert same(part(picture_of(example), HEAD), part(before, HEAD))


def test_a_reset_gives_the_hair_back_in_its_own_colour(example: Page) -> None:
    reset = example.get_by_role("button", name="Reset")
    reset.click()  # once before: it rounds the field of view
    before = picture_of(example)
    example.get_by_label("Colour", exact=True).fill(DYE)
    example.get_by_role("switch", name="Show the hair").uncheck()
    assert not same(part(picture_of(example), HEAD), part(before, HEAD))
    reset.click()
    assert same(part(picture_of(example), HEAD), part(before, HEAD))


def picture_of(page: Page) -> np.ndarray:
    """(H, W, 3) what the stage shows, once it stands still."""
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.locator("[data-part=stage] canvas").screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def part(picture: np.ndarray, region: tuple[float, float, float]) -> np.ndarray:
    """The pixels of a region of the stage."""
    height, width = picture.shape[:2]
    top, bottom, aside = (round(height * share) for share in region)
    return picture[top:bottom, width // 2 - aside : width // 2 + aside]


def same(after: np.ndarray, before: np.ndarray) -> bool:
    """Whether two pictures show the same."""
    return bool((difference(after, before) <= MOST).all())


def difference(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(H, W) the largest of the three colours' differences."""
    return np.abs(after - before).max(axis=2)
