"""A person's curves made steady: pose as one movement, each expression by itself, nothing across gaps and cuts."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from deep3d.video.heads import HeadTrack
from deep3d.video.smoothing import Response, Smoothing, smooth

LONGEST_GAP = 0.25  # seconds that a person may be missing within one movement
POSE = Response(cutoff=2.0, slope=40.0, together=True)  # of decimetres and radians a second
EXPRESSION = Response(cutoff=4.0, slope=20.0, together=False)  # of full weights a second
LIGHT = Response(cutoff=0.5, slope=0.0, together=True)
"""On drawn clips, by these a still face keeps still and a talking one comes no farther from the truth."""


def steadied(track: HeadTrack, how: Smoothing) -> HeadTrack:
    """The track with smooth curves; each stretch without long gaps for itself."""
    if how.method == "none" or len(track) == 0:
        return track
    ends = np.flatnonzero(np.diff(track.time) > LONGEST_GAP) + 1
    parts = [_steadied(track.chosen(rows), how) for rows in np.split(np.arange(len(track)), ends)]
    arrays = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(track)
        if each.name != "person"
    }
    return replace(track, **arrays)


def _steadied(track: HeadTrack, how: Smoothing) -> HeadTrack:
    unit = np.exp(track.scale.mean())  # pixels for a decimetre, so that all that a pose is has the same measure
    distance = 1 / track.perspective.mean()
    pose = np.column_stack([track.angles, track.place / unit, track.scale, track.perspective * distance])
    pose = smooth(track.time, pose, how, POSE)
    return replace(
        track,
        angles=pose[:, :3],
        place=pose[:, 3:5] * unit,
        scale=pose[:, 5],
        perspective=pose[:, 6] / distance,
        expression=smooth(track.time, track.expression, how, EXPRESSION),
        lighting=smooth(track.time, track.lighting, how, LIGHT),
    )
