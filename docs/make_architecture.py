"""Draws docs/pictures/architecture.svg: the rooms of the import contract in pyproject.toml, and a photo's way."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs/pictures/architecture.svg"
WAY = (
    ("read", "photo"),
    ("detect", "detection"),
    ("crop", "alignment"),
    ("regress", "regression"),
    ("refine", "refiner"),
    ("fit", "fitting"),
    ("decode", "face_model"),
    ("look closer", "dense"),
    ("unwrap", "texture"),
    ("take the light off", "material"),
    ("make hair", "hair"),
    ("write", "export"),
)
"""What happens to a photo, and the room that does it."""
NOTES = (
    "pipeline calls these in order;",
    "reconstruction is what comes out.",
    "",
    "Imports go down only.",
    "Rooms of one row do not",
    "import each other.",
)
LEFT, WIDTH, GAP, ROW, HEIGHT = 20, 760, 10, 48, 36  # pixels; ROW from the top of one row to that of the next
STYLE = (
    ".room{fill:#eef1f5;stroke:#b8c2cf}.way{fill:#dcebff;stroke:#5b8fd6}.dot{fill:#2b62b8}"
    "text{fill:#1c2430}.number{fill:#fff}"
)


def rows() -> list[list[str]]:
    """The rooms, top row first."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (each for each in settings["tool"]["importlinter"]["contracts"] if each["id"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"] if layer != "__main__"]


def picture() -> str:
    """The SVG."""
    layers = rows()
    height = 2 * LEFT + ROW * len(layers) - (ROW - HEIGHT)
    about = "The rooms of deep3d, one row a layer, and the order in which a photo passes them"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1060 {height}" width="1060" height="{height}" '
        f'font-family="Helvetica, Arial, sans-serif" role="img" aria-label="{about}">',
        f"<style>{STYLE}</style>",
        f'<rect width="1060" height="{height}" fill="#ffffff"/>',
    ]
    for number, layer in enumerate(layers):
        lines += _row(LEFT + ROW * number, layer)
    return "\n".join([*lines, *_legend(LEFT + WIDTH + 40), "</svg>"]) + "\n"


def _row(top: int, rooms: list[str]) -> Iterator[str]:
    width = (WIDTH - GAP * (len(rooms) - 1)) // len(rooms)
    steps = {room: number for number, (_, room) in enumerate(WAY, 1)}
    for place, room in enumerate(rooms):
        left = LEFT + place * (width + GAP)
        kind = "way" if room in steps else "room"
        yield f'<rect x="{left}" y="{top}" width="{width}" height="{HEIGHT}" rx="7" class="{kind}"/>'
        size = 14 if width > 100 else 12
        middle = left + width // 2
        yield f'<text x="{middle}" y="{top + 23}" font-size="{size}" text-anchor="middle">{room}</text>'
        if room in steps:
            yield _dot(left + width - 4, top + 3, steps[room])


def _legend(left: int) -> Iterator[str]:
    yield f'<text x="{left}" y="43" font-size="15" font-weight="bold">A photo\'s way</text>'
    for number, (step, _) in enumerate(WAY, 1):
        middle = 38 + 30 * number
        yield _dot(left + 9, middle, number)
        yield f'<text x="{left + 26}" y="{middle + 5}" font-size="14">{step}</text>'
    below = 96 + 30 * len(WAY)
    for number, note in enumerate(NOTES):
        yield f'<text x="{left}" y="{below + 20 * number}" font-size="13">{note}</text>'


def _dot(column: int, row: int, number: int) -> str:
    return (
        f'<circle cx="{column}" cy="{row}" r="9" class="dot"/>'
        f'<text x="{column}" y="{row + 4}" font-size="11" text-anchor="middle" class="number">{number}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
