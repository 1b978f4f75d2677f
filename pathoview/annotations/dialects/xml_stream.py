"""XML read element by element in constant memory, with entities off; and written tag by tag."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pathoview.annotations.dialects.frame import damaged
from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

DEEPEST = 64
"""Elements within each other; the dialects need 8."""
LARGEST_BYTES = 64 << 20
"""One tag or text may be as large as this."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {white: f"&#{ord(white)};" for white in "\t\n\r"}
)


def xml_elements(path: Path) -> Iterator[tuple[bool, str, Element]]:
    """Yield (is at its end, name without namespace, element) for every element of a file.

    At its start an element has its attributes; at its end its text too, and no children any more.
    Raises `AnnotationFileError` when the file is damaged, or made to harm.
    """
    inside: list[Element] = []
    try:
        with path.open("rb") as raw:
            file = _Watched(raw, path)
            for event, element in iterparse(file, events=("start", "end")):
                file.n_bytes = 0
                name = element.tag.rpartition("}")[2]
                if event == "start":
                    inside.append(element)
                    if len(inside) > DEEPEST:
                        raise damaged(path, _("too many elements within each other"))
                    yield False, name, element
                else:
                    yield True, name, element
                    inside.pop()
                    if inside:
                        inside[-1].remove(element)  # what was read is not kept
    except DefusedXmlException as error:
        raise AnnotationFileError(
            _("“{name}” defines entities, which PathoView does not read.").format(name=path.name),
            _("No annotation program writes them: do not trust this file."),
        ) from error
    except ParseError as error:
        raise damaged(path, str(error)) from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise damaged(path, error.strerror or "") from error


class _Watched(io.RawIOBase):
    """A file that is not read on for ever when no tag ends."""

    def __init__(self, file: io.BufferedReader, path: Path) -> None:
        self._file = file
        self._path = path
        self.n_bytes = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.n_bytes += len(data)
        if self.n_bytes > LARGEST_BYTES:
            raise damaged(self._path, _("a tag without an end"))
        return data


def tag(name: str, **attributes: object) -> str:
    """Return a start tag; what XML cannot hold is left out of the values."""
    said = "".join(f' {key}="{escaped(str(value))}"' for key, value in attributes.items())
    return f"<{name}{said}>"


def empty_tag(name: str, **attributes: object) -> str:
    """Return an element without anything in it."""
    return tag(name, **attributes)[:-1] + "/>"


def escaped(text: str) -> str:
    """Return text as it may stand in an attribute or an element."""
    return _FORBIDDEN.sub("", text).translate(_ESCAPES)


def hex_color(color: tuple[int, int, int]) -> str:
    """Return ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def parse_hex_color(text: str | None) -> tuple[int, int, int] | None:
    """Return the colour in ``#rgb``, ``#rrggbb`` or ``#rrggbbaa``; None when it is none."""
    digits = (text or "").strip().removeprefix("#")
    if not re.fullmatch("[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8}", digits):
        return None
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[start : start + 2], 16) for start in (0, 2, 4))
    return red, green, blue
