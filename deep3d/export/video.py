"""Short videos without sound: H.264 in MP4, which every browser plays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from deep3d.errors import ExtraMissing

NO_AV = "videos need the package av, which is not installed; pip install 'deep3d[video]'"


def write_video(path: Path, frames: Iterable[np.ndarray], rate: int) -> None:
    """Write frames (H, W, 3) uint8 of one even size at a rate in frames per second.

    Raises: ExtraMissing without PyAV.
    """
    try:
        import av  # 16 MB, rarely needed
    except ImportError as error:
        raise ExtraMissing(NO_AV) from error
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as video:
        stream = video.add_stream("libx264", rate=Fraction(rate), options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        video.mux(stream.encode())
