"""Which slide is this? A hash of the content that survives renaming and moving the file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

_WHOLE_BYTES = 16 << 20
_END_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_N_SAMPLES = 64
_DICOM_HEAD_BYTES = 1 << 16
_DICOM_SERIES_TAG = b"\x20\x00\x0e\x00UI"


def content_hash(path: Path) -> str:
    """Return 32 hexadecimal digits that name the content of a slide.

    Files up to 16 MiB are hashed whole; of larger ones the size, both ends and 64 pieces
    between them, so that it takes milliseconds however large the slide. Every file of a DICOM
    series gives the series' hash, and an MRXS file counts with the index of its folder.
    """
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        if series := _dicom_series(file.read(_DICOM_HEAD_BYTES)):
            digest.update(b"dicom series " + series)
            return digest.hexdigest()
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        for offset, length in _pieces(size):
            file.seek(offset)
            digest.update(file.read(length))
    index = path.with_suffix("") / "Slidedat.ini"
    if path.suffix.lower() == ".mrxs" and index.is_file():
        digest.update(index.read_bytes())
    return digest.hexdigest()


def series_hash(files: Sequence[Path]) -> str:
    """Return 32 hexadecimal digits that name the content of files in their order.

    The sizes of all count, and the content of some of them, evenly spread; names do not.
    """
    digest = hashlib.blake2b(b"series", digest_size=16)
    for file in files:
        digest.update(f" {file.stat().st_size}".encode())
    step = max(1, (len(files) - 1) / (_N_SAMPLES - 1))
    for place in dict.fromkeys(round(step * n) for n in range(_N_SAMPLES)):
        if place < len(files):
            digest.update(content_hash(files[place]).encode())
    return digest.hexdigest()


def _pieces(size: int) -> list[tuple[int, int]]:
    if size <= _WHOLE_BYTES:
        return [(0, size)]
    step = (size - 2 * _END_BYTES) / _N_SAMPLES
    between = [(_END_BYTES + int(step * i), _SAMPLE_BYTES) for i in range(_N_SAMPLES)]
    return [(0, _END_BYTES), *between, (size - _END_BYTES, _END_BYTES)]


def _dicom_series(head: bytes) -> bytes:
    if head[128:132] != b"DICM":
        return b""
    start = head.find(_DICOM_SERIES_TAG)
    if start < 0:
        return b""
    start += len(_DICOM_SERIES_TAG)
    length = int.from_bytes(head[start : start + 2], "little")
    return head[start + 2 : start + 2 + length].rstrip(b"\x00 ")
