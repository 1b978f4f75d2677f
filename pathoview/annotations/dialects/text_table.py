"""The lines of a text file, whatever encoding it was saved in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pathoview.annotations.dialects.frame import damaged

_LONGEST = 1 << 28
"""Characters in a line; Slide Score keeps all shapes of a question in one."""


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of UTF-8, UTF-16 or, where it is neither, Western text.

    Raises `AnnotationFileError` when there is no end to a line, or it is not text.
    """
    try:
        with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
            while line := file.readline(_LONGEST):
                if len(line) == _LONGEST or "\0" in line:
                    raise damaged(path)
                yield line
    except OSError as error:
        raise damaged(path, error.strerror or "") from error


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.end == len(start) and error.reason == "unexpected end of data"
        return "utf-8-sig" if is_cut else "cp1252"
    return "utf-8-sig"
