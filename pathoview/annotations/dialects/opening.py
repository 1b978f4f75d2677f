"""The first bytes of a file, by which its dialect is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

_BYTES = 1 << 16
_XML_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_XML_NOISE = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(\[.*?\])?[^>]*>", re.DOTALL)


@dataclass(frozen=True)
class Opening:
    """What can be told of a file without reading it whole."""

    path: Path
    head: bytes

    @classmethod
    def of(cls, path: Path) -> Opening:
        """Read the first bytes; raise `AnnotationFileError` when there are none to read."""
        try:
            with path.open("rb") as file:
                return cls(path, file.read(_BYTES))
        except FileNotFoundError as error:
            raise AnnotationFileError(
                _("There is no file “{name}”.").format(name=path.name)
            ) from error
        except OSError as error:
            raise AnnotationFileError(
                _("“{name}” cannot be read: {why}.").format(name=path.name, why=error.strerror)
            ) from error

    @cached_property
    def text(self) -> str:
        """The first bytes as text, whatever its encoding."""
        if self.head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self.head.decode("utf-16", "replace")
        return self.head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")

    @cached_property
    def xml_root(self) -> str:
        """The name of the first element, without its namespace; empty when this is not XML."""
        if not self.text.lstrip().startswith("<"):
            return ""
        match = _XML_ROOT.search(_XML_NOISE.sub("", self.text))
        return match.group(1).rpartition(":")[2] if match else ""

    @cached_property
    def is_json(self) -> bool:
        return self.text.lstrip()[:1] in ("{", "[")

    def has_keys(self, *keys: str) -> bool:
        """Whether all the JSON keys stand in what was read, wherever."""
        return all(re.search(rf'"{re.escape(key)}"\s*:', self.text) for key in keys)
