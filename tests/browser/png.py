"""PNG files as small as zlib makes them: Chromium writes them quickly, not small."""

import struct
import zlib
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
OPAQUE_TYPES = {2: 3, 6: 4}  # colour type and bytes a pixel, at 8 bits a sample


def shrink(path: Path) -> int:
    """Without filters, which help photographs and not pages, and without transparency. The bytes it has then."""
    width, height, kind, data = _read(path.read_bytes())
    size = OPAQUE_TYPES[kind]
    rows = _unfiltered(zlib.decompress(data), width * size, height, size)
    lines = (b"\x00" + (_opaque(row) if size == 4 else bytes(row)) for row in rows)
    packed = zlib.compress(b"".join(lines), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b""))
    return path.stat().st_size


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    place, data = len(SIGNATURE), b""
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        if name == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    return width, height, kind, data


def _unfiltered(raw: bytes, stride: int, height: int, size: int) -> list[bytearray]:
    rows, above = [], bytearray(stride)
    for number in range(height):
        start = number * (stride + 1)
        row = bytearray(raw[start + 1 : start + 1 + stride])
        _undo(raw[start], row, above, size)
        rows.append(row)
        above = row
    return rows


def _undo(how: int, row: bytearray, above: bytearray, size: int) -> None:
    for place in range(len(row)) if how else ():
        left = row[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        up = above[place]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[how]
        row[place] = (row[place] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    return min((left, up, corner), key=lambda value: abs(near - value))


def _opaque(row: bytearray) -> bytes:
    kept = bytearray(len(row) // 4 * 3)
    for channel in range(3):
        kept[channel::3] = row[channel::4]
    return bytes(kept)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
