"""The files beside a drawn video: a table of all curves, a Live Link Face CSV and an animated GLB of each person."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from deep3d.camera import rotation_matrix
from deep3d.export.gltf.animation import Motion, animated_glb
from deep3d.face_model import FaceModel
from deep3d.files.whole_file import written_whole
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction
from deep3d.texture import merge_textures
from deep3d.video.curves import write_live_link, write_table
from deep3d.video.expressions import FaceCurves, arkit_targets
from deep3d.video.heads import HeadTrack
from deep3d.video.reading import frames_at
from deep3d.video.request import VideoRequest, of_person
from deep3d.video.work import continued_later
from deep3d.whole_head import WholeHead

TEXTURE_FRAMES = 4  # that the texture of an animated face is made of, from different sides


def write_outputs(request: VideoRequest, curves: Sequence[FaceCurves], rate: Fraction, model: FaceModel) -> list[Path]:
    """Write the files requested beside the video, and return their paths; `rate` is the video's.

    Raises: OutputNotWritable. Files finished by then stay.
    """
    written = []
    if request.table is not None:
        with continued_later(request.table), written_whole(request.table) as partial:
            write_table(partial, curves, model)
        written.append(request.table)
    for each in curves:
        if request.live_link is not None:
            path = _place(request.live_link, each, curves)
            with continued_later(path), written_whole(path) as partial:
                write_live_link(partial, each, rate)
            written.append(path)
        if request.glb is not None:
            path = _place(request.glb, each, curves)
            content = _moving_face(request, each, model)
            with continued_later(path), written_whole(path) as partial:
                partial.write_bytes(content)
            written.append(path)
    return written


def _place(path: Path, one: FaceCurves, all_of_them: Sequence[FaceCurves]) -> Path:
    return path if len(all_of_them) == 1 else of_person(path, one.track.person.number)


def _moving_face(request: VideoRequest, curves: FaceCurves, model: FaceModel) -> bytes:
    """The animated GLB of one person, or of the actor that the video is put onto."""
    actor, track = request.onto, curves.track
    weights = curves.weights[:, : len(arkit_targets(model))]
    motion = Motion(track.time - request.start, weights, rotation_matrix(track.angles))
    if actor is not None:
        return animated_glb(model, model.neutral_shape(actor.identity[None])[0], actor.texture, motion)
    neutral = model.neutral_shape(track.person.identity[None].astype(np.float32))[0]
    return animated_glb(model, neutral, _texture(request.source, track, model), motion)


def _texture(source: Path, track: HeadTrack, model: FaceModel) -> np.ndarray:
    """Of some of the person's surest frames, from different sides."""
    faces: list[Reconstruction] = []
    rows = sorted(_sides(track))
    for row, pixels in zip(rows, frames_at(source, track.time[rows].tolist()), strict=True):
        if pixels is not None:
            faces.append(track.face(row, Photo(pixels, source.name, ""), model))
    weight = np.array([1 / face.confidence.landmark_error**2 for face in faces if face.confidence is not None])
    texture = merge_textures([face.unwrapped for face in faces], weight / weight.sum(), model)
    return WholeHead.of(model).painted(texture, faces[int(weight.argmax())].part_colours)


def _sides(track: HeadTrack) -> list[int]:
    """Rows of frames that show the face from the front and from as many sides as there are, eyes open, mouth shut."""
    yaw = np.degrees(track.angles[:, 1])
    least, most = np.quantile(yaw, [0.02, 0.98])
    wanted = np.linspace(least, most, TEXTURE_FRAMES)
    shut = np.abs(track.expression).sum(axis=1)
    cost = track.error + 0.2 * shut
    rows = [int(np.argmin(cost + np.abs(yaw - each) / 5)) for each in wanted]
    return list(dict.fromkeys(rows))
