"""Drawn pictures without a face: textures, noise, drawings, things, animals and scenes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Rng = np.random.Generator
Colour = tuple[int, int, int]

TUNING, REPORTING = 0, 1  # seeds: of the pictures for choosing thresholds, and of those for reporting
SMALLEST, LARGEST = 160, 640  # pixels a side


def faceless_picture(number: int, seed: int = REPORTING) -> tuple[str, np.ndarray]:
    """The kind, and a picture (H, W, 3) uint8; reproducible by number, with the kinds in turn."""
    names = list(KINDS)
    rng = np.random.default_rng([seed, number])
    width, height = (int(side) for side in rng.integers(SMALLEST, LARGEST, 2))
    name = names[number % len(names)]
    picture = Image.fromarray(_bytes(KINDS[name](rng, width, height))).filter(
        ImageFilter.GaussianBlur(rng.uniform(0, 1.5))
    )
    return name, _bytes(np.asarray(picture) + rng.normal(0, rng.uniform(0, 8), (height, width, 1)))


def _noise(rng: Rng, width: int, height: int) -> np.ndarray:
    """White or cloudy, grey or coloured."""
    return 128 + rng.uniform(30, 70) * np.dstack([_cloud(rng, width, height, rng.uniform(0, 2.5)) for _ in range(3)])


def _marble(rng: Rng, width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / rng.uniform(20, 90)
    veins = np.sin(x + rng.uniform(-1, 1) * y + 2.5 * _cloud(rng, width, height, 1.8))
    return _between(_colour(rng), _colour(rng), veins)


def _wood(rng: Rng, width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    middle = rng.uniform(-0.5, 1.5, 2) * [width, height]
    distance = np.hypot(x - middle[0], (y - middle[1]) * rng.uniform(0.1, 0.6)) + 8 * _cloud(rng, width, height, 1.8)
    return _between((176, 128, 80), (96, 60, 30), np.sin(distance / rng.uniform(4, 14)))


def _grass(rng: Rng, width: int, height: int) -> np.ndarray:
    image, draw = _canvas(rng, width, height, (40, 70, 20))
    for x, y in rng.uniform(0, 1, (4000, 2)) * [width, height]:
        green = rng.uniform(50, 220)
        tip = (x + rng.normal(0, 8), y - rng.uniform(5, 40))
        draw.line([(x, y), tip], fill=(int(green * 0.6), int(green), int(green * 0.3)), width=int(rng.integers(1, 4)))
    return np.asarray(image)


def _bricks(rng: Rng, width: int, height: int) -> np.ndarray:
    image, draw = _canvas(rng, width, height)
    long, high, gap = int(rng.integers(25, 120)), int(rng.integers(12, 60)), int(rng.integers(1, 6))
    base = _colour(rng)
    for row, y in enumerate(range(-high, height, high)):
        for x in range(-long, width, long):
            left = x + (row % 2) * long // 2
            draw.rectangle([left + gap, y + gap, left + long, y + high], fill=_near(rng, base, 18))
    return np.asarray(image)


def _pattern(rng: Rng, width: int, height: int) -> np.ndarray:
    """Stripes, checks or dots of two colours, as on cloth."""
    y, x = np.mgrid[:height, :width] * (2 * np.pi / rng.uniform(8, 90))
    turned = x * np.cos(angle := rng.uniform(0, np.pi)) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    wave = [np.sin(turned), np.sin(turned) * np.sin(across), np.maximum(np.sin(turned), np.sin(across))]
    return _between(_colour(rng), _colour(rng), np.clip(rng.uniform(1, 9) * wave[rng.integers(3)], -1, 1))


def _pebbles(rng: Rng, width: int, height: int) -> np.ndarray:
    """Each place has the colour of the nearest of many points: gravel, scales, cracked earth."""
    count = int(rng.integers(40, 400))
    points = rng.uniform(0, 1, (count, 2)) * [width, height]
    small = np.stack(np.meshgrid(np.arange(0, width, 3), np.arange(0, height, 3)), axis=-1)
    distance = np.sort(np.linalg.norm(small[..., None, :] - points, axis=-1), axis=-1)[..., :2]
    edge = np.tanh((distance[..., 1] - distance[..., 0]) / 8) * 2 - 1
    return _resized(_between(_colour(rng), _colour(rng), edge), width, height)


def _coins(rng: Rng, width: int, height: int) -> np.ndarray:
    """Rows of metal discs with a rim and a worn relief."""
    picture = _between(_colour(rng), _colour(rng), _cloud(rng, width, height, 2) / 3)
    y, x = np.mgrid[:height, :width]
    worn = 25 * _cloud(rng, width, height, 1.4)
    step = int(rng.integers(60, 160))
    for cy in range(step // 2, height, step):
        for cx in range(step // 2, width, step):
            radius = step * rng.uniform(0.3, 0.46)
            distance = np.hypot(x - cx, y - cy) / radius
            inside = distance < 1
            shade = 120 + 60 * (x - cx) / radius - 40 * (y - cy) / radius + 60 * (np.abs(distance - 0.9) < 0.05)
            relief = np.roll(worn, rng.integers(0, [height, width]), (0, 1))
            picture = np.where(inside[..., None], (shade + relief)[..., None] * [1, 0.9, 0.7], picture)
    return picture


def _animals(rng: Rng, width: int, height: int) -> np.ndarray:
    """Seen from the side: body, four legs, neck, head, ear, tail, in fur or feathers of strokes."""
    image, draw = _canvas(rng, width, height)
    for _ in range(int(rng.integers(1, 5))):
        size = min(width, height) * rng.uniform(0.15, 0.4)
        x, y = rng.uniform(0.2, 0.8, 2) * [width, height]
        facing, base = rng.choice([-1, 1]), _colour(rng)
        head = x + facing * size * rng.uniform(0.8, 1.2), y - size * rng.uniform(0.2, 0.9)
        for leg in (-0.6, -0.4, 0.4, 0.6):
            draw.line([(x + leg * size, y), (x + leg * size, y + size)], fill=base, width=max(2, int(size / 9)))
        draw.line([(x + facing * 0.6 * size, y), head], fill=base, width=max(2, int(size / 4)))
        draw.line([(x - facing * 0.7 * size, y), (x - facing * 1.2 * size, y - size / 3)], fill=base, width=4)
        _disc(draw, x, y, size * 0.8, size * 0.42, base)
        _disc(draw, *head, size * 0.3, size * 0.2, base)
        _disc(draw, head[0] + facing * size * 0.08, head[1] - size * 0.05, size * 0.03, size * 0.03, (10, 10, 10))
        for dx, dy in rng.normal(0, 0.35, (300, 2)) * [size, size * 0.5]:
            draw.line([(x + dx, y + dy), (x + dx - facing * 6, y + dy + 5)], fill=_near(rng, base, 25), width=1)
    return np.asarray(image)


def _fruit(rng: Rng, width: int, height: int) -> np.ndarray:
    """Shaded balls with stalks, or bubbles, or planets."""
    picture = _between(_colour(rng), _colour(rng), np.linspace(-1, 1, height)[:, None] * np.ones(width))
    y, x = np.mgrid[:height, :width]
    for _ in range(int(rng.integers(1, 9))):
        cx, cy = rng.uniform(0, 1, 2) * [width, height]
        radius = min(width, height) * rng.uniform(0.08, 0.35)
        u, v = (x - cx) / radius, (y - cy) / radius
        inside = u**2 + v**2 < 1
        light = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1)) * 0.7 + 0.3 * (0.5 - 0.5 * v)
        ball = np.array(_colour(rng)) * light[..., None] + 120 * (np.hypot(u + 0.35, v + 0.4) < 0.12)[..., None]
        stalk = (np.abs(u) < 0.06) & (v < -0.8) & (v > -1.3)
        picture = np.where(inside[..., None], ball, np.where(stalk[..., None], (70, 50, 20), picture))
    return picture


def _things(rng: Rng, width: int, height: int) -> np.ndarray:
    """Boxes, cups, wheels and bottles on a table: whatever circles, rectangles and curves make."""
    image, draw = _canvas(rng, width, height)
    draw.rectangle([0, height * 0.6, width, height], fill=_colour(rng))
    for _ in range(int(rng.integers(3, 14))):
        x, y = rng.uniform(0, 0.9, 2) * [width, height]
        w, h = rng.uniform(0.05, 0.4, 2) * min(width, height)
        colour, line = _colour(rng), _colour(rng)
        kind = rng.integers(5)
        if kind == 0:
            draw.rectangle([x, y, x + w, y + h], fill=colour, outline=line, width=3)
        elif kind == 1:
            draw.ellipse([x, y, x + w, y + w], fill=colour, outline=line, width=max(2, int(w / 9)))
        elif kind == 2:  # a cup with its handle
            draw.arc([x + w * 0.7, y + h * 0.2, x + w * 1.3, y + h * 0.8], -90, 90, fill=colour, width=6)
            draw.rounded_rectangle([x, y, x + w, y + h], radius=w / 6, fill=colour, outline=line)
        elif kind == 3:  # a bottle
            draw.rectangle([x + w * 0.35, y - h * 0.4, x + w * 0.65, y], fill=colour)
            draw.rounded_rectangle([x, y, x + w, y + h], radius=w / 4, fill=colour)
        else:
            corners = [tuple(corner) for corner in [x, y] + rng.uniform(0, 1, (5, 2)) * [w, h]]
            draw.polygon(corners, fill=colour, outline=line)
    return np.asarray(image)


def _drawing(rng: Rng, width: int, height: int) -> np.ndarray:
    """Pen lines on paper: scribbles, spirals, plans."""
    image, draw = _canvas(rng, width, height, _near(rng, (245, 242, 230), 10))
    for _ in range(int(rng.integers(5, 40))):
        steps = rng.normal(0, rng.uniform(5, 40), (int(rng.integers(3, 60)), 2))
        path = np.cumsum(steps, axis=0) * rng.uniform(0.3, 1, 2) + rng.uniform(0, 1, 2) * [width, height]
        draw.line([tuple(point) for point in path], fill=_near(rng, (30, 30, 60), 25), width=int(rng.integers(1, 5)))
    return np.asarray(image)


def _text(rng: Rng, width: int, height: int) -> np.ndarray:
    """Pages and screens: lines of words, a heading, some boxes."""
    image, draw = _canvas(rng, width, height, _near(rng, (250, 250, 250), 5))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;()    "))
    size = int(rng.integers(9, 30))
    for y in range(size, height, int(size * rng.uniform(1.2, 2))):
        draw.text((10, y), "".join(rng.choice(letters, 120)), fill=(20, 20, 20), font_size=size)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, 0.7, 2) * [width, height]
        draw.rectangle([x, y, x + width / 4, y + height / 6], fill=_colour(rng))
    return np.asarray(image)


def _landscape(rng: Rng, width: int, height: int) -> np.ndarray:
    """Sky, ridge behind ridge, trees, houses with windows and a door."""
    image = Image.fromarray(
        _bytes(_between((235, 225, 215), (70, 120, 200), 1 - np.mgrid[:height, :width][0] * 2 / height))
    )
    draw = ImageDraw.Draw(image)
    for layer in range(4):
        ridge = height * (0.4 + 0.15 * layer) + height * 0.06 * np.cumsum(rng.normal(0, 0.35, 41))
        corners = [*zip(np.linspace(0, width, 41), ridge), (width, height), (0, height)]
        draw.polygon(corners, fill=_near(rng, (90 - 15 * layer, 130 - 20 * layer, 80 - 15 * layer), 10))
    for _ in range(int(rng.integers(0, 8))):
        x, y, size = rng.uniform(0, width), rng.uniform(0.5, 0.9) * height, rng.uniform(0.05, 0.2) * height
        if rng.random() < 0.5:
            draw.rectangle([x - 3, y, x + 3, y + size], fill=(80, 60, 40))
            _disc(draw, x, y, size * 0.4, size * 0.6, _near(rng, (40, 100, 40), 25))
        else:
            draw.rectangle([x, y, x + size, y + size], fill=_colour(rng))
            draw.polygon([(x - 5, y), (x + size + 5, y), (x + size / 2, y - size / 2)], fill=(140, 60, 50))
            for window in (0.15, 0.6):
                draw.rectangle(
                    [x + window * size, y + 0.2 * size, x + (window + 0.22) * size, y + 0.45 * size], fill=(40, 50, 70)
                )
            draw.rectangle([x + 0.4 * size, y + 0.6 * size, x + 0.6 * size, y + size], fill=(90, 60, 40))
    return np.asarray(image)


def _flowers(rng: Rng, width: int, height: int) -> np.ndarray:
    image, draw = _canvas(rng, width, height, _near(rng, (60, 90, 50), 25))
    for _ in range(int(rng.integers(1, 14))):
        x, y = rng.uniform(0, 1, 2) * [width, height]
        size, petals, colour = min(width, height) * rng.uniform(0.05, 0.3), int(rng.integers(4, 14)), _colour(rng)
        for angle in np.arange(petals) * 2 * np.pi / petals + rng.uniform(0, 6):
            px, py = x + np.cos(angle) * size * 0.6, y + np.sin(angle) * size * 0.6
            _disc(draw, px, py, size * 0.35, size * 0.35, _near(rng, colour, 12))
        _disc(draw, x, y, size * 0.3, size * 0.3, _near(rng, (200, 160, 40), 25))
    return np.asarray(image)


def _stars(rng: Rng, width: int, height: int) -> np.ndarray:
    """Lights in the dark: stars, lamps, a town at night."""
    picture = 12 + 10 * np.abs(np.dstack([_cloud(rng, width, height, 2)] * 3))
    image = Image.fromarray(_bytes(picture))
    draw = ImageDraw.Draw(image)
    for x, y in rng.uniform(0, 1, (int(rng.integers(30, 600)), 2)) * [width, height]:
        radius = rng.gamma(1.5, rng.uniform(0.5, 3))
        _disc(draw, x, y, radius, radius, _near(rng, (255, 230, 190), 40))
    return np.asarray(image)


def _smileys(rng: Rng, width: int, height: int) -> np.ndarray:
    """A drawn face of few lines: a round head, eyes, mostly with brows, a nose and hair, and some kind of mouth."""
    image, draw = _canvas(rng, width, height)
    ink, line = _near(rng, (40, 25, 25), 15), max(2, min(width, height) // 100)
    size = min(width, height) * rng.uniform(0.25, 0.45)
    x, y = np.array([width, height]) / 2 + rng.normal(0, 0.1, 2) * size
    skin = [(255, 220, 60), (240, 200, 170), (200, 140, 100), (250, 250, 250)][rng.integers(4)]
    _disc(draw, x, y, size * rng.uniform(0.75, 1), size, skin)
    if rng.random() < 0.4:
        draw.pieslice([x - size, y - size * 1.1, x + size, y + size * 0.5], 190, 350, fill=_near(rng, (80, 55, 30), 30))
    pupil, brows = size * rng.uniform(0.06, 0.12), rng.random() < 0.6
    for eye in (x - size * 0.38, x + size * 0.38):
        _disc(draw, eye, y - size * 0.2, pupil * 2, pupil * 1.4, (255, 255, 255))
        _disc(draw, eye, y - size * 0.2, pupil, pupil, ink)
        if brows:
            arch = [eye - pupil * 2.5, y - size * 0.45, eye + pupil * 2.5, y - size * 0.2]
            draw.arc(arch, 200, 340, fill=ink, width=2 * line)
    if rng.random() < 0.6:
        draw.line(
            [(x, y - size * 0.1), (x - size * 0.08, y + size * 0.2), (x + size * 0.08, y + size * 0.2)], ink, line
        )
    wide, deep = size * rng.uniform(0.25, 0.5), size * rng.uniform(0.1, 0.35)
    mouth = [x - wide, y + size * 0.4 - deep, x + wide, y + size * 0.4 + deep]
    kind = rng.integers(3)
    if kind == 0:
        draw.arc(mouth, 20, 160, fill=(120, 20, 20), width=3 * line)
    elif kind == 1:
        draw.chord(mouth, 0, 180, fill=(150, 30, 40), outline=ink)
    else:
        _disc(draw, x, y + size * 0.4, wide, deep / 3, (190, 60, 60))
    return np.asarray(image)


KINDS: dict[str, Callable[[Rng, int, int], np.ndarray]] = {
    "noise": _noise,
    "marble": _marble,
    "wood": _wood,
    "grass": _grass,
    "bricks": _bricks,
    "cloth": _pattern,
    "pebbles": _pebbles,
    "coins": _coins,
    "animals": _animals,
    "fruit": _fruit,
    "things": _things,
    "drawings": _drawing,
    "text": _text,
    "landscapes": _landscape,
    "flowers": _flowers,
    "lights": _stars,
    "smileys": _smileys,
}
"""By what they show: how a picture of some width and height is drawn, values around [0, 255]."""


def _cloud(rng: Rng, width: int, height: int, smoothness: float) -> np.ndarray:
    """Noise (H, W) of mean 0 and deviation 1 whose amplitude falls with this power of the frequency."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width) * width)
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) / np.maximum(frequency, 1) ** smoothness
    spectrum[0, 0] = 0
    cloud = np.fft.irfft2(spectrum, (height, width))
    return cloud / cloud.std()


def _between(first: Colour, second: Colour, amount: np.ndarray) -> np.ndarray:
    """From one colour at -1 to another at 1."""
    share = np.clip(amount / 2 + 0.5, 0, 1)[..., None]
    return np.array(first) * (1 - share) + np.array(second) * share


def _canvas(rng: Rng, width: int, height: int, colour: Colour | None = None) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), colour or _colour(rng))
    return image, ImageDraw.Draw(image)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, across: float, down: float, colour: Colour) -> None:
    draw.ellipse([x - across, y - down, x + across, y + down], fill=colour)


def _colour(rng: Rng) -> Colour:
    return _near(rng, (128, 128, 128), 70)


def _near(rng: Rng, colour: Colour, spread: float) -> Colour:
    red, green, blue = np.clip(rng.normal(colour, spread), 0, 255).astype(int).tolist()
    return red, green, blue


def _resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(_bytes(picture)).resize((width, height), Image.Resampling.BICUBIC))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture, 0, 255).astype(np.uint8)
