"""Whether a HEIC file rotates its picture by itself (ISO/IEC 14496-12 and 23008-12).

Most phones write a property `irot` or `imir`, which every decoder applies, and also the EXIF orientation, which must
then be ignored. Some write the EXIF orientation only.
"""

from __future__ import annotations

from collections.abc import Iterator

_TURNING = (b"irot", b"imir")


def turns_itself(content: bytes) -> bool:
    """Whether the main picture of a HEIC file has a property that rotates or mirrors it."""
    meta = _child(content, b"meta")[4:]  # after version and flags
    properties = _child(meta, b"iprp")
    kinds = [kind for kind, _ in _boxes(_child(properties, b"ipco"))]
    turning = {number for number, kind in enumerate(kinds, 1) if kind in _TURNING}
    return bool(turning & _properties_of(_main_item(meta), _child(properties, b"ipma")))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes that follow each other in `data`."""
    start = 0
    while start + 8 <= len(data):
        size, kind, header = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16]), 16
        elif size == 0:  # to the end
            size = len(data) - start
        if size < header:
            return
        yield kind, data[start + header : start + size]
        start += size


def _child(data: bytes, wanted: bytes) -> bytes:
    """The content of the first box of a kind, empty if there is none."""
    return next((content for kind, content in _boxes(data) if kind == wanted), b"")


def _main_item(meta: bytes) -> int:
    box = _child(meta, b"pitm")
    return int.from_bytes(box[4:6] if box[:1] == b"\0" else box[4:8])


def _properties_of(item: int, box: bytes) -> set[int]:
    """The numbers, from 1, of an item's properties, by the box of associations `ipma`."""
    version, wide = box[:1], bool(box[3:4] and box[3] & 1)
    id_size, size = (2 if version == b"\0" else 4), (2 if wide else 1)
    numbers: set[int] = set()
    place = 8
    for _ in range(int.from_bytes(box[4:8])):
        if place + id_size >= len(box):
            break
        owner, count = int.from_bytes(box[place : place + id_size]), box[place + id_size]
        place += id_size + 1
        for start in range(place, place + count * size, size):
            if owner == item:
                numbers.add(int.from_bytes(box[start : start + size]) & (0x7FFF if wide else 0x7F))
        place += count * size
    return numbers
