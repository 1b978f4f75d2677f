"""The bytes of a GeoJSON file, unpacked: plain, gzip or zip, known by content, not by name."""

from __future__ import annotations

import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from pathoview.core.closing import Closing
from pathoview.core.errors import GeoJSONError
from pathoview.core.translation import _

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP, _ZIP, _JAVA = b"\x1f\x8b", b"PK\x03\x04", b"\xac\xed"
_SUFFIXES = (".geojson", ".json")


class GeoJSONSource(Closing):
    """An open file; `read` raises `GeoJSONError` when it is damaged."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        with ExitStack() as stack, self._sentences():
            self._size = max(path.stat().st_size, 1)
            self._raw: IO[bytes] = stack.enter_context(path.open("rb"))
            self._file = self._unpacked(stack)
            self._start = self._opening()
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()

    @property
    def fraction(self) -> float:
        """How much of the file has been read, 0–1."""
        return min(self._raw.tell() / self._size, 1.0)

    def read(self, n_bytes: int) -> bytes:
        """Return up to ``n_bytes`` bytes more; nothing at the end."""
        start, self._start = self._start, b""
        with self._sentences():
            return start or self._file.read(n_bytes)

    def _unpacked(self, stack: ExitStack) -> IO[bytes]:
        magic = self._raw.read(4)
        self._raw.seek(0)
        if magic.startswith(_GZIP):
            return cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=self._raw)))
        if magic.startswith(_ZIP):
            return self._zip_entry(stack.enter_context(zipfile.ZipFile(self._raw)), stack)
        return self._raw

    def _zip_entry(self, archive: zipfile.ZipFile, stack: ExitStack) -> IO[bytes]:
        names = [name for name in archive.namelist() if name.lower().endswith(_SUFFIXES)]
        if len(names) != 1:
            raise GeoJSONError(
                _("“{name}” holds {n} GeoJSON files; one is expected.").format(
                    name=self._name, n=len(names)
                ),
                _("Unpack it and import the files one by one."),
            )
        return stack.enter_context(archive.open(names[0]))

    def _opening(self) -> bytes:
        start = self._file.read(1 << 16).removeprefix(_BYTE_ORDER_MARK)
        if not start.strip():
            raise GeoJSONError(
                _("“{name}” is empty.").format(name=self._name),
                _("Export it again from the program it came from."),
            )
        if start.startswith(_JAVA):
            raise GeoJSONError(
                _("“{name}” is QuPath's own data file, which only QuPath can read.").format(
                    name=self._name
                ),
                _("Open it in QuPath and choose File › Export objects as GeoJSON."),
            )
        if start.startswith(_UTF16):
            raise GeoJSONError(
                _("“{name}” is UTF-16 text; GeoJSON is UTF-8.").format(name=self._name),
                _("Save it as UTF-8."),
            )
        if start.lstrip()[:1] not in (b"{", b"["):
            raise GeoJSONError(
                _("“{name}” is not GeoJSON.").format(name=self._name),
                _("A GeoJSON file begins with “{” or “[”."),
            )
        return start

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise GeoJSONError(_("There is no file “{name}”.").format(name=self._name)) from error
        except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise GeoJSONError(
                _("The packed file “{name}” is damaged or cut off.").format(name=self._name),
                _("Copy or export it again."),
            ) from error
        except (OSError, RuntimeError, NotImplementedError) as error:  # also: a zip with a password
            raise GeoJSONError(
                _("“{name}” cannot be read: {why}.").format(name=self._name, why=error)
            ) from error
