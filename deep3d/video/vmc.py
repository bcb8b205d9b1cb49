"""Faces for VTuber programs: the VMC protocol (Virtual Motion Capture), which is OSC over UDP.

A face is sent as its 52 blend shapes under ARKit's names, each with a capital as the clips of "perfect sync" avatars
have them, and the rotation of the bone Head. Unity's axes are left-handed: x is the other way round.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from deep3d.camera import rotation_matrix
from deep3d.errors import ConfigError, ExtraMissing
from deep3d.export.gltf.animation import quaternions
from deep3d.video.expressions import ARKIT_NAMES
from deep3d.video.live import LiveFace

Message = tuple[str, tuple[str | float | int, ...]]
"""An OSC address and its values."""
TOGETHER = 16  # messages of one datagram: more would not fit into a packet of most networks


class VmcSender:
    """Sends faces to one program; a context manager, which lets the socket go."""

    def __init__(self, place: str) -> None:
        """`place` is HOST:PORT.

        Raises: ConfigError if it is not; ExtraMissing without python-osc.
        """
        try:
            import pythonosc  # noqa: F401
        except ImportError as error:
            raise ExtraMissing("VMC needs the package python-osc; pip install 'deep3d[webcam]'") from error
        host, _, port = place.rpartition(":")
        try:
            found = socket.getaddrinfo(host.strip("[]") or "127.0.0.1", _port(port), type=socket.SOCK_DGRAM)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{place}: not an address; give HOST:PORT, such as 127.0.0.1:39539") from error
        family, kind, protocol, _, self._place = found[0]
        self._socket = socket.socket(family, kind, protocol)

    def __enter__(self) -> VmcSender:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def __call__(self, face: LiveFace | None, time: float) -> None:
        """Send a face, or that there is none, at a time in seconds. The receiver need not run yet."""
        messages = [*vmc_messages(face, time)]
        for start in range(0, len(messages), TOGETHER):
            with suppress(OSError):  # nobody listens there, as the system has heard
                self._socket.sendto(_datagram(messages[start : start + TOGETHER]), self._place)


def vmc_messages(face: LiveFace | None, time: float) -> Iterator[Message]:
    """The messages for one face: values first, then the one that applies them."""
    yield "/VMC/Ext/OK", (int(face is not None),)
    yield "/VMC/Ext/T", (float(time),)
    if face is None:
        return
    yield "/VMC/Ext/Bone/Pos", ("Head", 0.0, 0.0, 0.0, *head_turn(face.track.angles[0]))
    for name, weight in zip(ARKIT_NAMES, face.weights.tolist()):
        yield "/VMC/Ext/Blend/Val", (name[0].upper() + name[1:], weight)
    yield "/VMC/Ext/Blend/Apply", ()


def head_turn(angles: np.ndarray) -> Sequence[float]:
    """Unity's quaternion x, y, z, w of a head's rotation (3,) in radians."""
    x, y, z, w = quaternions(rotation_matrix(angles[None]))[0].tolist()
    return x, -y, -z, w


def _datagram(messages: Sequence[Message]) -> bytes:
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder

    bundle = OscBundleBuilder(IMMEDIATELY)  # pyright: ignore[reportArgumentType]
    for address, values in messages:
        message = OscMessageBuilder(address)
        for value in values:
            message.add_arg(value)
        bundle.add_content(message.build())
    return bundle.build().dgram


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(text)
    return port
