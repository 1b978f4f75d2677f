"""The objects of a GeoJSON file, a few thousand at a time, whatever they are wrapped in.

A file may be one object, a collection, an array, arrays in arrays, or values one after the other.
What fits into a chunk is parsed as it is; a wrapper that does not fit is opened, and its contents
are taken piece by piece. So memory depends on the largest object, not on the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from pathoview.annotations.geojson_rings import Cut
from pathoview.core.errors import GeoJSONError
from pathoview.core.translation import _

CHUNK_BYTES = 2 << 20
LARGEST_BYTES = 1 << 29
"""One object may be as large as this."""
DEEPEST = 300
"""Arrays and objects within each other; a hierarchy of QuPath needs 3 a generation."""

_BETWEEN = b" \t\r\n,\x1e"
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_FEATURES_KEY = re.compile(rb'(?<!\\)"features"\s*:\s*$')
_KEY_BYTES = 64
_NEXT_FEATURE = re.compile(rb'\}(?=\s*,\s*\{\s*"type"\s*:\s*"Feature")')
_FEATURE = re.compile(r'"type"\s*:\s*"Feature"')
_TAIL_BYTES = 1 << 15
_INT64_DIGITS = 18
_QUOTE = 2
_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): 255, ord("]"): 255, ord('"'): _QUOTE}
_STEP_OF_BYTE = bytes(_STEPS.get(byte, 0) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Elements:
    """Some parsed JSON values, in the order of the file; rings in them are marks (`Cut`)."""

    values: list[Any]
    rings: list[bytes]
    is_flat: bool = False
    """None of them is an array or a collection of others."""


class GeoJSONElements:
    """An iterator over the elements of a file."""

    def __init__(self, read: Callable[[int], bytes], name: str) -> None:
        self._read = read
        self._name = name
        self._buffer = b""
        self._ended = False
        self._inside: list[str] = []
        """Wrappers that were opened: ``[`` or ``{`` (a collection after its features)."""
        self._n_given = 0
        self._guesses = True

    def __iter__(self) -> Iterator[Elements]:
        while True:
            self._fill(CHUNK_BYTES)
            elements = self._guessed() or self._complete()
            if elements:
                self._n_given += len(elements.values)
                yield elements
            elif not self._open_wrapper():
                if self._ended:
                    self._check_end()
                    return
                self._fill(2 * len(self._buffer))

    def _fill(self, n_bytes: int) -> None:
        if n_bytes > 2 * LARGEST_BYTES:
            raise GeoJSONError(
                _("Object {number} of “{name}” is too large to be read.").format(
                    number=self._n_given + 1, name=self._name
                ),
                _("Export the objects flat, without their hierarchy."),
            )
        parts = [self._buffer]
        missing = n_bytes - len(self._buffer)
        while missing > 0 and not self._ended:
            parts.append(self._read(missing))
            missing -= len(parts[-1])
            self._ended = not parts[-1]
        if len(parts) > 1:
            self._buffer = b"".join(parts)

    def _guessed(self) -> Elements | None:
        """Return what stands before the last thing that looks like the start of a feature.

        That it parses proves the guess: a cut anywhere else leaves a bracket or a text open.
        """
        if not self._guesses or self._inside[-1:] != ["["]:
            return None
        cut = 0
        for match in _NEXT_FEATURE.finditer(self._buffer, max(0, len(self._buffer) - _TAIL_BYTES)):
            cut = match.end()
        if not cut:
            return None
        try:
            elements = _loads(Cut.of(self._buffer[:cut].lstrip(_BETWEEN)))
        except orjson.JSONDecodeError:
            self._guesses = False
            return None
        self._buffer = self._buffer[cut:]
        return elements

    def _complete(self) -> Elements | None:
        """Return the elements that are complete in the buffer; None: there are none yet."""
        at, step, depth = _brackets(self._buffer)
        if len(depth) and depth.max() + len(self._inside) > DEEPEST:
            raise GeoJSONError(
                _("“{name}” has arrays within arrays, more than {n} deep.").format(
                    name=self._name, n=DEEPEST
                ),
                _("It is not a file that a slide viewer wrote: check where it comes from."),
            )
        closing = np.flatnonzero(depth < 0)[:1]
        if not self._inside:
            if len(closing):
                raise self._not_json(_("a bracket is closed that was never opened"))
            return self._loose(at[(depth == 1) & (step > 0)], at[(depth == 0) & (step < 0)])
        if len(closing):
            end = int(at[closing[0]])
            run, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
            return self._parsed(run.strip(_BETWEEN) if self._inside.pop() == "[" else b"")
        ends = at[(depth == 0) & (step < 0)]
        if self._inside[-1] == "{" or not len(ends):
            return None
        end = int(ends[-1]) + 1
        run, self._buffer = self._buffer[:end], self._buffer[end:]
        return self._parsed(run.lstrip(_BETWEEN))

    def _loose(self, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Elements | None:
        """Return values that stand one after the other, without a wrapper."""
        if not len(ends):
            return None
        edges = [0, *(ends + 1).tolist()]
        gaps = zip(edges, starts.tolist(), strict=False)
        if b"".join(self._buffer[start:end] for start, end in gaps).strip(_BETWEEN):
            raise self._not_json(_("there is text between the objects"))
        pieces = zip(starts.tolist(), edges[1:], strict=False)
        run = b",".join(self._buffer[start:end] for start, end in pieces)
        self._buffer = self._buffer[edges[-1] :]
        return self._parsed(run)

    def _open_wrapper(self) -> bool:
        """Open the array or the collection at the buffer's start, if there is one."""
        text = self._buffer.lstrip(_BETWEEN)
        if self._inside[-1:] == ["{"]:
            return False
        if text.startswith(b"["):
            self._inside.append("[")
            self._buffer = text[1:]
            return True
        at, step, depth = _brackets(text)
        for position in at[(depth == 2) & (step > 0)].tolist():
            is_array = text[position : position + 1] == b"["
            before = max(0, position - _KEY_BYTES)
            if is_array and _FEATURES_KEY.search(text, before, position):
                self._inside += ["{", "["]
                self._buffer = text[position + 1 :]
                return True
        return False

    def _check_end(self) -> None:
        rest = self._buffer.strip(_BETWEEN)
        if rest and rest[:1] not in (b"{", b"["):
            raise self._not_json(_("there is text between the objects"))
        if rest or self._inside:
            raise GeoJSONError(
                _("“{name}” is cut off after {n} complete objects.").format(
                    name=self._name, n=self._n_given
                ),
                _("Copy or export it again."),
            )

    def _parsed(self, run: bytes) -> Elements:
        cut = Cut.of(run)
        try:
            return _loads(cut)
        except orjson.JSONDecodeError:
            return self._leniently(cut)

    def _leniently(self, cut: Cut) -> Elements:
        """Parse what strict JSON refuses: NaN, Infinity, control characters, broken UTF-8."""
        text = cut.text.decode("utf-8", "replace")
        try:
            values = json.loads(f"[{text}]", strict=False, parse_int=_number)
        except json.JSONDecodeError as error:
            n_begun = len(_FEATURE.findall(text, 0, error.pos))
            raise self._not_json(error.msg, n_begun) from error
        # Half a surrogate pair is a text that nothing else can write.
        sound = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
        return Elements(json.loads(sound, parse_int=_number), cut.rings)

    def _not_json(self, why: str, n_begun: int = 0) -> GeoJSONError:
        return GeoJSONError(
            _("“{name}” is not valid JSON near object {number}: {why}.").format(
                name=self._name, number=max(self._n_given + n_begun, 1), why=why
            ),
            _("Export the file again, or correct it with a text editor."),
        )


def _number(text: str) -> int | float:
    return int(text) if len(text) <= _INT64_DIGITS else float(text)


def _loads(cut: Cut) -> Elements:
    values = orjson.loads(b"[%b]" % cut.text)
    is_flat = b'"features"' not in cut.text and list not in set(map(type, values))
    return Elements(values, cut.rings, is_flat)


def _brackets(
    text: bytes,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Return where brackets outside of texts are, +1 or -1 for each, and the depth after it."""
    if b"\\" in text:
        text = _ESCAPED.sub(b"__", text)
    codes = np.frombuffer(text.translate(_STEP_OF_BYTE), np.int8)
    at = np.flatnonzero(codes)
    codes = codes[at]
    quotes = codes == _QUOTE
    outside = (np.cumsum(quotes) % 2 == 0) & ~quotes
    step = codes[outside]
    return at[outside], step, np.cumsum(step, dtype=np.int32)
