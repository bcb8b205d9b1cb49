"""The expression sliders of the viewer: the morph targets of face.glb, grouped, and named for people."""

from __future__ import annotations

from dataclasses import dataclass

from serving.language import N_


@dataclass(frozen=True)
class Movement:
    """One movement of a face: a morph target, or a pair of them where left and right move apart."""

    label: str
    target: str
    pair: bool = False

    @property
    def sliders(self) -> tuple[tuple[str, str], ...]:
        """The morph targets, each with its side: "", or left and right as the person feels it."""
        if not self.pair:
            return ((self.target, ""),)
        return ((self.target + "Left", N_("left")), (self.target + "Right", N_("right")))


GROUPS: tuple[tuple[str, tuple[Movement, ...]], ...] = (
    (
        N_("Mouth"),
        (
            Movement(N_("Smile"), "mouthSmile", pair=True),
            Movement(N_("Corners down"), "mouthFrown", pair=True),
            Movement(N_("Corners wide"), "mouthStretch", pair=True),
            Movement(N_("Dimples"), "mouthDimple", pair=True),
            Movement(N_("Upper lip up"), "mouthUpperUp", pair=True),
            Movement(N_("Lower lip down"), "mouthLowerDown", pair=True),
            Movement(N_("To the left"), "mouthLeft"),
            Movement(N_("To the right"), "mouthRight"),
        ),
    ),
    (
        N_("Lips"),
        (
            Movement(N_("Kiss"), "mouthPucker"),
            Movement(N_("Round, as in “oo”"), "mouthFunnel"),
            Movement(N_("Pressed"), "mouthPress", pair=True),
            Movement(N_("Upper lip in"), "mouthRollUpper"),
            Movement(N_("Lower lip in"), "mouthRollLower"),
            Movement(N_("Upper lip pushed up"), "mouthShrugUpper"),
            Movement(N_("Lower lip pushed up"), "mouthShrugLower"),
            Movement(N_("Lips closed"), "mouthClose"),
        ),
    ),
    (
        N_("Jaw"),
        (
            Movement(N_("Open"), "jawOpen"),
            Movement(N_("Forward"), "jawForward"),
            Movement(N_("To the left"), "jawLeft"),
            Movement(N_("To the right"), "jawRight"),
        ),
    ),
    (
        N_("Eyes"),
        (
            Movement(N_("Blink"), "eyeBlink", pair=True),
            Movement(N_("Squint"), "eyeSquint", pair=True),
            Movement(N_("Wide open"), "eyeWide", pair=True),
            Movement(N_("Look up"), "eyeLookUp", pair=True),
            Movement(N_("Look down"), "eyeLookDown", pair=True),
            Movement(N_("Look inward"), "eyeLookIn", pair=True),
            Movement(N_("Look outward"), "eyeLookOut", pair=True),
        ),
    ),
    (
        N_("Brows"),
        (
            Movement(N_("Raise inside"), "browInnerUp"),
            Movement(N_("Raise outside"), "browOuterUp", pair=True),
            Movement(N_("Lower"), "browDown", pair=True),
        ),
    ),
    (
        N_("Cheeks and nose"),
        (
            Movement(N_("Cheeks raised"), "cheekSquint", pair=True),
            Movement(N_("Cheeks puffed"), "cheekPuff"),
            Movement(N_("Nose wrinkled"), "noseSneer", pair=True),
        ),
    ),
)
